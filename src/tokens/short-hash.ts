import { hash } from 'node:crypto'

/** As many characters as a session id has; they hold 132 bits. */
const CHARACTERS = 22

/** The start of the SHA-256 of `data`, in base64url: 132 bits, enough that nobody finds other data with the same hash. */
export function shortHash(data: string | Uint8Array): string {
  return hash('sha256', data, 'base64url').slice(0, CHARACTERS)
}
