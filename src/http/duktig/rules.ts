/** The validation rules of the contract (section 4): each with its message, its test and its JSON schema. */
import { LENGTHS, hasLength, isEmail, isStrongPassword } from '../../core/account-fields.ts'
import { LIMITS } from '../../settings/limits.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

export interface Rule {
  readonly message: string
  readonly schema: JsonSchema
  test(value: unknown): boolean
  /** The value is to become a password, so it must also satisfy the policy of the settings. */
  readonly setsPassword?: boolean
  /** An empty string counts as a value, null as no value; true for `comment` only. */
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
  schema: passwordSchema(null),
  test: isStrongPassword,
}

/** A password to be set. Common passwords, which attackers try first, are refused too, with the same message. */
export const newPassword: Rule = { ...password, setsPassword: true }

/**
 * JSON Schema counts the code points that are sent. The contract counts bytes of UTF-8, and the settings may ask for a
 * minimum of code points after composing (NFC). A password needs two kinds of characters, and only the kind "all others"
 * goes beyond ASCII. The shortest text therefore has one character of ASCII, and others that count most: four bytes, or
 * three code points, since NFC spells some characters as three. The longest text has one byte per character.
 */
export function passwordSchema(minCodePoints: number | null): JsonSchema {
  const { passwordBytesMin: minBytes, passwordBytesMax: maxBytes } = LIMITS
  const others = minCodePoints === null ? (minBytes - 1) / 4 : (minCodePoints - 1) / 3
  const characters =
    minCodePoints === null ? '' : `, ${minCodePoints} or more code points of the composed spelling (NFC)`
  return {
    type: 'string',
    format: 'password',
    minLength: 1 + Math.ceil(others),
    maxLength: maxBytes,
    description: `${minBytes} to ${maxBytes} bytes of UTF-8${characters}, of two kinds or more: a-z, A-Z, 0-9, all others`,
  }
}

function string([min, max]: readonly [number, number]): Rule {
  return {
    message: `Required string min ${min} max ${max}`,
    schema: { type: 'string', minLength: min, maxLength: max },
    test: (value) => hasLength(value, [min, max]),
  }
}

/** The message always ends in `or empty string`, as others do in PATCH only. Null and missing values pass. */
export const comment: Rule = {
  ...string(LENGTHS.comment),
  message: `${string(LENGTHS.comment).message} or empty string`,
  mayBeEmpty: true,
}

/** One of `values`, as a number or as decimal text. The message lists them in the given order. */
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

/** At least `min`, and within the 64-bit integers with which the PHP original counts. */
function isWithin(digits: string, min: number): boolean {
  const value = BigInt(digits)
  return value >= min && value < 2n ** 63n
}

/** The number in an id or an `integer` of a query, at most the largest safe integer, which is beyond all that exist. */
export function wholeNumber(text: string | undefined): number {
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER)
}

/** The largest number of twelve digits. */
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
