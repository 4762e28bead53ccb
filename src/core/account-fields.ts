/** What the fields of an account may hold (contract, sections 4 and 7). Each face words its own messages. */
import { LIMITS } from '../settings/limits.ts'

/** Inclusive bounds in characters (Unicode code points). */
export const LENGTHS = {
  firstName: [2, 15],
  lastName: [2, 20],
  phone: [6, 20],
  comment: [0, 255],
} as const

const EMAIL_CHARACTERS = 254
const LOCAL_PART_CHARACTERS = 64
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/
const KINDS_OF_CHARACTERS = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/]

/** Whether `value` is an ASCII address that a mail server accepts, with at least one dot in the domain. */
export function isEmail(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > EMAIL_CHARACTERS) return false
  const at = value.lastIndexOf('@')
  const local = value.slice(0, Math.max(0, at))
  const labels = value.slice(at + 1).split('.')
  const domain = labels.length > 1 && labels.every((label) => LABEL.test(label))
  return domain && local.length <= LOCAL_PART_CHARACTERS && LOCAL_PART.test(local)
}

/** Whether `value` is within the bounds on its bytes and has characters of at least two kinds. */
export function isStrongPassword(value: unknown): value is string {
  if (!isText(value)) return false
  const bytes = Buffer.byteLength(value)
  if (bytes < LIMITS.passwordBytesMin || bytes > LIMITS.passwordBytesMax) return false
  return KINDS_OF_CHARACTERS.filter((kind) => kind.test(value)).length >= 2
}

export function hasLength(value: unknown, [min, max]: readonly [number, number]): value is string {
  if (!isText(value)) return false
  const { length } = [...value]
  return length >= min && length <= max
}

/** Text that every database can store, and that no password hash cuts at a character: no NUL, no lone surrogate. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
}
