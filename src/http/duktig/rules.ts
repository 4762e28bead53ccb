/** The validation rules of the contract (section 4): each with its message, its test and its JSON schema. */
import { LENGTHS, hasLength, isEmail, isStrongPassword } from '../../core/account-fields.ts'
import { LIMITS } from '../../settings/limits.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

export interface Rule {
  readonly message: string
  readonly schema: JsonSchema
  test(value: unknown): boolean
  /** Sets a password: the policy of the settings is asked too. */
  readonly setsPassword?: boolean
  /** An empty string counts as a value and null as none; true for `comment` alone. */
  readonly mayBeEmpty?: boolean
}

export const email: Rule = {
  message: 'Required valid email address',
  schema: {
    type: 'string',
    format: 'email',
    maxLength: 254,
    description: 'an address of at most 254 characters of ASCII, without quotes, with a dot behind the @',
  },
  test: isEmail,
}

export const password: Rule = {
  message: `Required not weak Password Strength between ${LIMITS.passwordBytesMin} - ${LIMITS.passwordBytesMax} chars`,
  schema: passwordSchema(LIMITS.passwordBytesMin),
  test: isStrongPassword,
}

/** A password that is to be set; also refused, with the same words, when everybody tries it first. */
export const newPassword: Rule = { ...password, setsPassword: true }

/**
 * JSON Schema counts characters, the rule bytes. The shortest text of so many bytes has four in each character but one, which
 * is of ASCII, since two kinds are asked for and only one of them has others; the longest has one in each.
 */
export function passwordSchema(minBytes: number): JsonSchema {
  return {
    type: 'string',
    format: 'password',
    minLength: 1 + Math.ceil((minBytes - 1) / 4),
    maxLength: LIMITS.passwordBytesMax,
    description: `${minBytes} to ${LIMITS.passwordBytesMax} bytes of UTF-8, of two kinds or more: a-z, A-Z, 0-9, all others`,
  }
}

function string([min, max]: readonly [number, number]): Rule {
  return {
    message: `Required string min ${min} max ${max}`,
    schema: { type: 'string', minLength: min, maxLength: max },
    test: (value) => hasLength(value, [min, max]),
  }
}

/** The comment: always with the suffix that the other rules carry in PATCH only; absent and null pass. */
export const comment: Rule = {
  ...string(LENGTHS.comment),
  message: `${string(LENGTHS.comment).message} or empty string`,
  mayBeEmpty: true,
}

/** One of some integers, also as decimal text, in the order in which the message lists them. */
export function oneOf(...values: readonly number[]): Rule {
  return {
    message: `Required value equal to ${values.join(' | ')}`,
    schema: { enum: [...values, ...values.map(String)] },
    test: (value) => values.some((v) => v === value || String(v) === value),
  }
}

/** An integer in a query, at least `min`. */
export function integer(min: number): Rule {
  return {
    message: `Required int value min ${min}`,
    schema: { type: 'integer', format: 'int64', minimum: min },
    test: (value) => typeof value === 'string' && /^(0|[1-9]\d{0,18})$/.test(value) && isWithin(value, min),
  }
}

/** Up to what the original counts with, 64 bits. */
function isWithin(digits: string, min: number): boolean {
  const value = BigInt(digits)
  return value >= min && value < 2n ** 63n
}

/** What an id or an `integer` of a query says; of numbers beyond any that there is, the greatest that can be counted with. */
export function wholeNumber(text: string | undefined): number {
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER)
}

/** What twelve digits can say. */
const LAST_SECOND = 999_999_999_999

/** A point in time in a query, as Unix seconds. */
export const unixDate: Rule = {
  message: 'Required valid date with format: U',
  schema: {
    type: 'integer',
    minimum: -LAST_SECOND,
    maximum: LAST_SECOND,
    description: 'Unix seconds, at most 12 digits',
  },
  test: (value) => typeof value === 'string' && /^-?\d{1,12}$/.test(value),
}

export const firstName = string(LENGTHS.firstName)
export const lastName = string(LENGTHS.lastName)
export const phone = string(LENGTHS.phone)
export const roleId = oneOf(3, 4, 2, 1, 5)
export const status = oneOf(1, 0)
export const patchStatus = oneOf(1, 0, 2)
