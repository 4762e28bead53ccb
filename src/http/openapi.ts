/** The OpenAPI 3.1 document, generated from the routes that the service runs. */
import type { HttpRoute } from './route.ts'

export interface ApiNames {
  readonly version: string
  readonly authKeyHeader: string
  readonly accessTokenHeader: string
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
  readonly components: { readonly securitySchemes: object; readonly schemas: object }
}

export type OperationObject = HttpRoute['operation'] & { readonly parameters: readonly ParameterObject[] }

export interface ParameterObject {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description?: string
  readonly schema: Readonly<Record<string, unknown>>
}

const DESCRIPTION =
  'Sign in once, stay signed in everywhere, be signed out everywhere in a second. ' +
  'Dates are `YYYY-MM-DD HH:MM:SS` in the configured time zone; `expires_in` is an absolute time in Unix seconds. ' +
  'Characters are code points of Unicode, and NUL is in no text.'

const STATUS_ERROR = { const: 'error' }

export interface HeaderObject {
  readonly description: string
  /** Whether every response with this status has the header. */
  readonly required: boolean
  readonly schema: Readonly<Record<string, unknown>>
}

/** The header of responses that ask the client to come again. */
export const RETRY_AFTER: Readonly<Record<string, HeaderObject>> = {
  'Retry-After': {
    description: 'Seconds to wait before the next attempt.',
    required: true,
    schema: { type: 'integer', minimum: 1 },
  },
}

export function openApiDocument(routes: readonly HttpRoute[], names: ApiNames): OpenApiDocument {
  const paths: Record<string, Record<string, OperationObject>> = {}
  for (const route of routes) {
    const parameters = [...pathParameters(route), ...(route.operation.parameters ?? [])] as ParameterObject[]
    const operations = (paths[route.path] ??= {})
    const responses = { ...refusals(route), ...route.operation.responses }
    const operation = { ...route.operation, responses, parameters }
    operations[route.method.toLowerCase()] = operation
    if (route.answersHead === true) operations['head'] = headOf(operation)
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Duktig', version: names.version, description: DESCRIPTION },
    paths,
    components: {
      securitySchemes: {
        applicationKey: { type: 'apiKey', in: 'header', name: names.authKeyHeader },
        accessToken: { type: 'apiKey', in: 'header', name: names.accessTokenHeader },
        bearer: { type: 'http', scheme: 'bearer' },
      },
      schemas: {
        Error: {
          type: 'object',
          properties: { status: STATUS_ERROR, message: { type: 'string' }, type: { const: 'exception' } },
          required: ['status', 'message'],
          additionalProperties: false,
        },
        ValidationError: {
          type: 'object',
          minProperties: 1,
          additionalProperties: { type: 'array', items: { type: 'string' }, minItems: 1 },
        },
      },
    },
  }
}

/** The same operation, asked with HEAD: its answers have no content. */
function headOf(operation: OperationObject): OperationObject {
  const { operationId, summary, responses } = operation
  return {
    ...operation,
    operationId: `${operationId}Head`,
    summary: `${summary}, told by the status alone`,
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, response]) => [status, { ...response, content: undefined }]),
    ),
  }
}

/** What the server answers in place of the route: after a fault, past an address's bound, and under maintenance. */
function refusals(route: HttpRoute): Record<string, object> {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
  const refusal = (why: string) => ({ description: `${why}.`, headers: RETRY_AFTER, content })
  return {
    500: { description: 'A fault of the service. In development, the message says what happened.', content },
    ...(route.isPublic === true ? { 429: refusal('Too many requests') } : {}),
    ...(route.always === true ? {} : { 503: refusal('Under maintenance') }),
  }
}

function pathParameters(route: HttpRoute): ParameterObject[] {
  return Object.entries(route.params ?? {}).map(([name, { schema, description }]) => ({
    name,
    in: 'path',
    required: true,
    description,
    schema,
  }))
}
