/** `000` to `999`. */
const GROUPS = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'))

/**
 * The digits of an id, a whole number from 0. `String` keeps the texts of thousands of numbers for later, so that with
 * many accounts each text would live until the next full garbage collection (docs/decisions/0017).
 */
export function digitsOf(id: number): string {
  if (!(id >= 1000 && id <= Number.MAX_SAFE_INTEGER)) return String(id)
  return digitsOf(Math.floor(id / 1000)) + (GROUPS[id % 1000] as string)
}
