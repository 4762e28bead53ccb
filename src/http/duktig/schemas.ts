/** JSON schemas of what this face answers, for the API reference. */
import type { JsonSchema } from './rules.ts'

export const date: JsonSchema = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}$' }
const text: JsonSchema = { type: 'string' }
const textOrNull: JsonSchema = { type: ['string', 'null'] }
export const dateOrNull: JsonSchema = { ...date, type: ['string', 'null'] }

/** An object with exactly these properties, all present unless listed as optional. */
export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required, additionalProperties: false }
}

export function doneSchema(message: string): JsonSchema {
  return object({ status: { const: 'OK' }, message: { const: message } })
}

/** Tokens of a sign-in or a refresh: `expires_in` is the absolute end in Unix seconds. */
export const tokenProperties: Readonly<Record<string, JsonSchema>> = {
  access_token: text,
  expires_in: { type: 'integer' },
  refresh_token: text,
}

export const ownAccountSchema = object({
  userId: { type: 'integer' },
  firstName: text,
  lastName: text,
  email: text,
  phone: text,
  pinCode: textOrNull,
  dateRegistered: date,
  dateLastUpdate: dateOrNull,
  dateLastLogin: dateOrNull,
})

/** An account as administrators see it. */
export const accountSchema = object({
  userId: { type: 'integer' },
  firstName: text,
  lastName: text,
  email: text,
  phone: text,
  comment: textOrNull,
  dateRegistered: date,
  dateLastUpdate: dateOrNull,
  dateLastLogin: dateOrNull,
  roleId: { enum: [1, 2, 3, 4, 5] },
  status: { enum: [0, 1, 2, 3] },
})

const sessionProperties = {
  sessionId: text,
  dateLogin: date,
  loginIp: text,
  deviceId: textOrNull,
  userAgent: textOrNull,
}

export const ownSessionSchema = object({ ...sessionProperties, currentDevice: { enum: ['Yes', 'No'] } })

export const sessionSchema = object({ ...sessionProperties, endReason: textOrNull, dateEnded: dateOrNull })

/** A recorded action. */
export const actionSchema = object({ dateAction: date, actionCode: text, actionMessage: text })
