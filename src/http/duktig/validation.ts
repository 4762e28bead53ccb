/** Applies the contract's rules to bodies and queries. Reports all mistakes at once, in the order of the rules. */
import type { PasswordPolicy } from '../../passwords/policy.ts'
import { LIMITS } from '../../settings/limits.ts'
import type { JsonObject } from '../body.ts'
import { type JsonSchema, type Rule, passwordSchema } from './rules.ts'

/** Messages by field, in the order of the rules, the key for the whole body last; empty if nothing is wrong. */
export type Mistakes = Record<string, string[]>

export interface BodyRules {
  readonly fields: Readonly<Record<string, Rule>>
  /** `exact`: all keys and no others. `patch`: at least one of the keys and no others. */
  readonly keys: 'exact' | 'patch'
  /** With `exact`: whether a missing, null or empty value also gets the message `Required value`. */
  readonly required?: boolean
  /** The key of messages about the whole body; `general` if left out. */
  readonly wholeBodyKey?: string
}

export function validateBody(rules: BodyRules, body: JsonObject, policy: PasswordPolicy): Mistakes {
  const mistakes: Mistakes = {}
  for (const [field, stated] of Object.entries(rules.fields)) {
    const rule = stated.setsPassword === true ? underPolicy(stated, policy) : stated
    const messages =
      rules.keys === 'exact' ? exactField(rules, rule, own(body, field)) : patchField(rule, own(body, field))
    if (messages.length > 0) mistakes[field] = messages
  }
  const whole = rules.keys === 'exact' ? exactKeys(rules, body) : patchKeys(rules, body)
  if (whole.length > 0) mistakes[rules.wholeBodyKey ?? 'general'] = whole
  return mistakes
}

/** Checks the parameters of a query, all of which are required. */
export function validateQuery(fields: Readonly<Record<string, Rule>>, query: JsonObject): Mistakes {
  const mistakes: Mistakes = {}
  for (const [field, rule] of Object.entries(fields)) {
    if (!rule.test(own(query, field))) mistakes[field] = [rule.message]
  }
  return mistakes
}

/** The JSON schema of a body, for the API reference. */
export function bodySchema(rules: BodyRules, policy: PasswordPolicy): JsonSchema {
  const properties = Object.fromEntries(
    Object.entries(rules.fields).map(([field, stated]) => {
      const { schema } = stated.setsPassword === true ? underPolicy(stated, policy) : stated
      return [field, rules.keys === 'exact' ? schema : orNull(schema)]
    }),
  )
  const required = rules.keys === 'exact' ? { required: Object.keys(properties) } : { minProperties: 1 }
  return { type: 'object', properties, ...required, additionalProperties: false }
}

/** The schema, extended to allow null: in a `patch`, null means the same as a missing value. */
function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema
  return Array.isArray(values) ? { ...schema, enum: [...values, null] } : { ...schema, type: [type, 'null'] }
}

/** The rule for a new password, tightened by the policy of the settings. In its message only the minimum changes. */
function underPolicy(rule: Rule, policy: PasswordPolicy): Rule {
  const { minCodePoints } = policy
  const shortest = minCodePoints ?? LIMITS.passwordBytesMin
  const message = rule.message.replace(`${LIMITS.passwordBytesMin} -`, `${shortest} -`)
  const { description, ...counted } = passwordSchema(minCodePoints)
  const schema = { ...counted, description: `${String(description)}; none that everybody tries first` }
  return { ...rule, message, schema, test: (value) => policy.accepts(value) }
}

function exactField(rules: BodyRules, rule: Rule, value: unknown): string[] {
  const messages: string[] = []
  if (rules.required === true && isNothing(value)) messages.push('Required value')
  const absent = rule.mayBeEmpty === true && (value === undefined || value === null)
  if (!absent && !rule.test(value)) messages.push(rule.message)
  return messages
}

function patchField(rule: Rule, value: unknown): string[] {
  if (value === undefined || value === null || rule.test(value)) return []
  const suffix = ' or empty string'
  return [rule.message.endsWith(suffix) ? rule.message : rule.message + suffix]
}

function exactKeys(rules: BodyRules, body: JsonObject): string[] {
  const keys = Object.keys(rules.fields)
  const exact =
    keys.every((key) => (own(body, key) ?? null) !== null) && Object.keys(body).length === keys.length
  return exact ? [] : [`Required exact values as: ${keys.join(', ')}`]
}

function patchKeys(rules: BodyRules, body: JsonObject): string[] {
  const keys = Object.keys(rules.fields)
  const messages: string[] = []
  const counts = ([key, rule]: [string, Rule]) => {
    const value = own(body, key)
    return !isNothing(value) || (rule.mayBeEmpty === true && value === '')
  }
  if (!Object.entries(rules.fields).some(counts)) {
    messages.push(`Required at least one value like: ${keys.join(', ')}`)
  }
  const extra = Object.keys(body).filter((key) => !keys.includes(key))
  if (extra.length > 0) {
    messages.push(`Required no extra values: ${extra.join(', ')}. Allowed only: ${keys.join(', ')}`)
  }
  return messages
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

/** The value of the body's own key, never of one that every object inherits. */
function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
