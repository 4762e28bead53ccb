/**
 * Converts accounts of the PHP original (Duktig.Microservice) to ours. None is left out; a note says what was changed
 * or should be checked.
 */
import { ROLE, STATUS } from '../core/account.ts'
import { LENGTHS, hasLength, isEmail, isStrongPassword } from '../core/account-fields.ts'
import type { DateFormat } from '../core/dates.ts'
import { isKnownHash } from '../passwords/passwords.ts'
import type { ImportedAccount } from '../store/store.ts'

/** A row of the original's table `users`. Dates are local times without an offset. */
export interface DuktigPhpUser {
  readonly userId: number
  readonly firstName: string | null
  readonly lastName: string | null
  readonly email: string | null
  readonly password: string | null
  readonly phone: string | null
  readonly comment: string | null
  readonly dateRegistered: string | null
  readonly dateLastUpdate: string | null
  readonly dateLastLogin: string | null
  readonly roleId: number | null
  readonly status: number | null
}

/** What was changed or should be checked, in the order of the report. */
export const NOTES = {
  'super-admin':
    'Super admins. The original gave this role to every account created without one: check that each should keep it',
  'plain-password':
    'Passwords found in plain text, hashed now. They keep working unless too weak; have them changed',
  'weak-password': 'Plain-text passwords too weak for our rules: no sign-in until a new one is set',
  'no-password': 'Without a password: no sign-in until one is set',
  'unknown-hash': 'With a password hash of an unknown kind: no sign-in until a new password is set',
  'bad-email':
    'With an address that is none by our rules, taken over as it is: no sign-in until it is changed',
  'no-role': 'Without a role that we know: clients (4) now',
  'no-status': 'Without a status that we know: not verified (0) now',
  'odd-first-name': 'With a first name that our rules would refuse, taken over as it is',
  'odd-last-name': 'With a last name that our rules would refuse, taken over as it is',
  'odd-phone': 'With a phone number that our rules would refuse, taken over as it is',
  'odd-comment': 'With a comment that our rules would refuse, taken over as it is',
  'nul-removed': 'With NUL characters in a text, which are left out now',
  'no-date-registered': 'Without a valid date of registration: the time of the import is put there',
  'no-date-last-update': 'With an invalid date of the last update: none now',
  'no-date-last-login': 'With an invalid date of the last sign-in: none now',
} as const
export type Note = keyof typeof NOTES

/** What is known of the password: its hash, its plain text, or neither, so that nobody can sign in. */
export type PasswordToKeep =
  | { readonly kind: 'hash'; readonly hash: string }
  | { readonly kind: 'plain'; readonly password: string }
  | { readonly kind: 'none' }

export interface Converted {
  readonly account: Omit<ImportedAccount, 'passwordHash'>
  readonly password: PasswordToKeep
  readonly notes: readonly Note[]
}

/**
 * Prefixes that other programs write before a hash, and the lengths of MD5, SHA-1 and SHA-2 in hexadecimal. Taken for a
 * plain-text password, such a hash would let in whoever has read it.
 */
const LOOKS_LIKE_HASH =
  /^\$(?:[0-9][a-z]?|[a-z]|P|H|S|argon2[a-z]*|scrypt|pbkdf2[-\w]*)\$|^\*?(?:[\da-f]{32}|[\da-f]{40}|[\da-f]{64}|[\da-f]{96}|[\da-f]{128})$/i

export function convertUser(user: DuktigPhpUser, dates: DateFormat): Converted {
  const notes = new Set<Note>()
  const noteIf = (condition: boolean, note: Note) => {
    if (condition) notes.add(note)
  }
  const text = (value: string | null): string => {
    noteIf(value?.includes('\0') === true, 'nul-removed')
    return (value ?? '').replaceAll('\0', '')
  }
  const [firstName, lastName, phone] = [text(user.firstName), text(user.lastName), text(user.phone)]
  const email = text(user.email)
  const comment = user.comment === null ? null : text(user.comment)
  noteIf(!hasLength(firstName, LENGTHS.firstName), 'odd-first-name')
  noteIf(!hasLength(lastName, LENGTHS.lastName), 'odd-last-name')
  noteIf(!hasLength(phone, LENGTHS.phone), 'odd-phone')
  noteIf(comment !== null && !hasLength(comment, LENGTHS.comment), 'odd-comment')
  noteIf(!isEmail(email), 'bad-email')
  const roleId = Object.values(ROLE).find((role) => role === user.roleId)
  noteIf(roleId === undefined, 'no-role')
  noteIf(roleId === ROLE.superAdmin, 'super-admin')
  const status = Object.values(STATUS).find((known) => known === user.status)
  noteIf(status === undefined, 'no-status')
  const time = (value: string | null, note: Note) => {
    const timeMs = value === null ? null : dates.parse(withoutFraction(value))
    noteIf(timeMs === null && (value !== null || note === 'no-date-registered'), note)
    return timeMs
  }
  const { password, notes: found } = passwordOf(user.password)
  for (const note of found) notes.add(note)
  return {
    account: {
      accountId: user.userId,
      firstName,
      lastName,
      email,
      phone,
      comment,
      // The original gave super admin to accounts created without a role; here nobody gets that role by default.
      roleId: roleId ?? ROLE.client,
      status: status ?? STATUS.notVerified,
      registeredAtMs: time(user.dateRegistered, 'no-date-registered'),
      updatedAtMs: time(user.dateLastUpdate, 'no-date-last-update'),
      lastSignInAtMs: time(user.dateLastLogin, 'no-date-last-login'),
      takesLegacyTokens: true,
    },
    password,
    notes: [...notes],
  }
}

function passwordOf(stored: string | null): { password: PasswordToKeep; notes: readonly Note[] } {
  if (stored === null || stored === '') return { password: { kind: 'none' }, notes: ['no-password'] }
  if (isKnownHash(stored)) return { password: { kind: 'hash', hash: stored }, notes: [] }
  if (LOOKS_LIKE_HASH.test(stored)) return { password: { kind: 'none' }, notes: ['unknown-hash'] }
  const notes: Note[] = isStrongPassword(stored) ? ['plain-password'] : ['plain-password', 'weak-password']
  return { password: { kind: 'plain', password: stored }, notes }
}

/** Columns of the original may hold fractions of a second, which our date format does not know. */
function withoutFraction(text: string): string {
  return text.replace(/\.\d{1,6}$/, '')
}
