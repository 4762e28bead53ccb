/** The API reference of a Duktig route, generated from the same data that runs the route. */
import type { PasswordPolicy } from '../../passwords/policy.ts'
import { type HeaderObject, RETRY_AFTER } from '../openapi.ts'
import type { Operation } from '../route.ts'
import { CHALLENGE_HEADER, REASON_HEADER } from './denials.ts'
import type { DuktigRoute } from './face.ts'
import type { JsonSchema } from './rules.ts'
import { type BodyRules, bodySchema } from './validation.ts'

/** What a route declares for the API reference. */
export interface Documented {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tag: 'Authorization' | 'Account' | 'Sessions' | 'Administration' | 'Statistics' | 'System'
  /** The body of a successful answer; null if it has none. */
  readonly success: JsonSchema | null
  readonly successType?: string
  /** Statuses beyond those that follow from credential, target, query and body. */
  readonly denials?: readonly number[]
  /** Statuses of answers without a body. */
  readonly bodilessDenials?: readonly number[]
  /** Headers of the request beyond the credential. */
  readonly extraHeaders?: Readonly<Record<string, string>>
  /** Headers that every successful answer has. */
  readonly successHeaders?: Readonly<Record<string, string>>
}

const ERROR = { $ref: '#/components/schemas/Error' }
const VALIDATION_ERROR = { $ref: '#/components/schemas/ValidationError' }
const BODY_ERROR = { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 1 }
/** A header with a text that every such response has. */
const header = (description: string): HeaderObject => ({
  description,
  required: true,
  schema: { type: 'string' },
})
type Headers = Readonly<Record<string, HeaderObject>>
const REASON: Headers = {
  [REASON_HEADER]: {
    ...header('Why the session is over, for the holder of a genuine token.'),
    required: false,
  },
}
const HEADERS: Readonly<Record<number, Headers>> = {
  401: { [CHALLENGE_HEADER]: header('How to authenticate.') },
  415: {
    Accept: header('The type to send.'),
    'Accept-Encoding': header('The encoding to send: none.'),
  },
  429: RETRY_AFTER,
  503: RETRY_AFTER,
}
const MEANINGS: Readonly<Record<number, readonly [string, JsonSchema]>> = {
  204: ['There is nothing to answer with.', ERROR],
  400: ['The body is no JSON object.', BODY_ERROR],
  401: ['The credential is missing, wrong or no longer good.', ERROR],
  403: ['The account is not active.', ERROR],
  404: ['There is nothing of that name.', ERROR],
  413: ['The body is too large.', ERROR],
  415: ['The body is not `application/json`, or it is compressed.', ERROR],
  429: ['Too many requests.', ERROR],
  503: ['Under maintenance, overloaded, or the store cannot answer.', ERROR],
}

/** `renamed` maps a header of the contract to the name that the settings give it. */
export function operationOf(
  route: DuktigRoute,
  policy: PasswordPolicy,
  renamed: (header: string) => string,
): Operation {
  const { operationId, summary, description, tag } = route
  const security = securityOf(route)
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    security,
    parameters: [...queryParameters(route), ...headerParameters(route, renamed)],
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body, policy) }),
    responses: responsesOf(route),
  }
}

function securityOf(route: DuktigRoute): readonly Readonly<Record<string, readonly string[]>>[] {
  if (route.credential === 'application') return [{ applicationKey: [] }]
  if (route.credential === 'access') return [{ accessToken: [] }, { bearer: [] }]
  return []
}

function queryParameters(route: DuktigRoute): object[] {
  return Object.entries(route.query ?? {}).map(([name, rule]) => ({
    name,
    in: 'query',
    required: true,
    schema: rule.schema,
  }))
}

function headerParameters(route: DuktigRoute, renamed: (header: string) => string): object[] {
  return Object.entries(route.extraHeaders ?? {}).map(([name, text]) => ({
    name: renamed(name),
    in: 'header',
    description: text,
    schema: { type: 'string' },
  }))
}

function requestBody(rules: BodyRules, policy: PasswordPolicy): object {
  const content = { 'application/json': { schema: bodySchema(rules, policy) } }
  if (rules.keys === 'exact') return { required: true, content }
  const description = 'At least one field with a value. Null is no value: it leaves the field as it is.'
  return { description, required: true, content }
}

function responsesOf(route: DuktigRoute): Record<string, object> {
  const statuses = new Set(route.denials ?? [])
  if (route.credential !== 'none') statuses.add(401)
  if (route.credential === 'access') statuses.add(403)
  if (route.target !== undefined) statuses.add(404)
  if (route.query !== undefined) statuses.add(422)
  if (route.body !== undefined) for (const status of [400, 413, 415, 422]) statuses.add(status)
  // Only refused requests count against the bound of an address, so a route that refuses nothing never answers 429.
  const refuses = statuses.size > 0 || route.bodilessDenials !== undefined
  if (refuses && route.isUncounted !== true) statuses.add(429)
  if (route.always !== true) statuses.add(503)
  const responses: Record<string, object> = { 200: successOf(route) }
  for (const status of [...statuses].sort((a, b) => a - b)) {
    const [description, schema] = meaningOf(status, route)
    const headers = headersOf(status, route)
    responses[status] = { description, headers, content: { 'application/json': { schema } } }
  }
  for (const status of route.bodilessDenials ?? [])
    responses[status] = {
      description: MEANINGS[status]?.[0] ?? 'Refused.',
      headers: headersOf(status, route),
    }
  return responses
}

/** Who brings only an application's key, and perhaps a password, holds no token of a session. */
function headersOf(status: number, { credential }: DuktigRoute): Headers | undefined {
  return status === 401 && credential !== 'application' ? { ...HEADERS[401], ...REASON } : HEADERS[status]
}

function meaningOf(status: number, route: DuktigRoute): readonly [string, JsonSchema] {
  if (status === 422) return meaningOf422(route)
  if (status === 403 && route.roles !== undefined)
    return ['The account is not active, or its role may not.', ERROR]
  return MEANINGS[status] ?? ['Refused.', ERROR]
}

/** Broken rules are reported by field; if the state of an account forbids the change, there is a single message. */
function meaningOf422({ body, query, denials }: DuktigRoute): readonly [string, JsonSchema] {
  const [broken, forbidden] = [
    'The rules of the contract are broken; messages by field.',
    'The account must stay as it is.',
  ]
  if (body === undefined && query === undefined) return [forbidden, ERROR]
  if (denials?.includes(422) !== true) return [broken, VALIDATION_ERROR]
  return [`${broken} Or: ${forbidden}`, { anyOf: [VALIDATION_ERROR, ERROR] }]
}

function successOf({ success, successType, successHeaders }: DuktigRoute): object {
  const described = Object.entries(successHeaders ?? {})
  const headers = Object.fromEntries(described.map(([name, description]) => [name, header(description)]))
  return {
    description: 'Done.',
    ...(described.length === 0 ? {} : { headers }),
    ...(success === null ? {} : { content: { [successType ?? 'application/json']: { schema: success } } }),
  }
}
