/** The OpenAPI document of a running service, and a check of answers against it. */
import assert from 'node:assert/strict'
import { type Schema, schemaMistakes } from './json-schema.ts'
import { type RawAnswer, sendJson } from './raw-http.ts'

export interface ApiParameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description?: string
  readonly schema: Schema
}

interface ApiHeader {
  readonly required?: boolean
  readonly schema: Schema
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>

interface ApiResponse {
  readonly description: string
  readonly headers?: Readonly<Record<string, ApiHeader>>
  readonly content?: Content
}

export interface ApiOperation {
  readonly method: string
  /** With parameters in braces. */
  readonly path: string
  readonly operationId: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters: readonly ApiParameter[]
  /** The schema of the request body; null if the operation takes none. */
  readonly body: Schema | null
  readonly responses: Readonly<Record<string, ApiResponse>>
}

export interface Api {
  readonly document: Schema
  readonly operations: readonly ApiOperation[]
}

export async function apiOf(address: string): Promise<Api> {
  const { status, body } = await sendJson(address, 'GET', '/openapi.json')
  assert.equal(status, 200)
  const paths = body['paths'] as Record<string, Record<string, Record<string, unknown>>>
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, stated]) => {
      const requestBody = stated['requestBody'] as { content: Content } | undefined
      return {
        method: method.toUpperCase(),
        path,
        operationId: stated['operationId'] as string,
        security: (stated['security'] ?? []) as ApiOperation['security'],
        parameters: (stated['parameters'] ?? []) as readonly ApiParameter[],
        body: requestBody?.content['application/json']?.schema ?? null,
        responses: stated['responses'] as ApiOperation['responses'],
      }
    }),
  )
  return { document: body, operations }
}

/** Headers that any answer may have, of a service without CORS; the document names all others. */
const EVERYWHERE = new Set([
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'x-content-type-options',
])

/** How an answer differs from the document in status, headers, content type or body; empty if it agrees. */
export function answerMistakes(api: Api, operation: ApiOperation, answer: RawAnswer): readonly string[] {
  const stated = operation.responses[answer.status]
  if (stated === undefined) return [`status ${answer.status} is not in the document`]
  return [...headerMistakes(api, stated, answer), ...bodyMistakes(api, stated, answer)]
}

function headerMistakes({ document }: Api, { headers = {} }: ApiResponse, answer: RawAnswer): string[] {
  const known = new Map(Object.entries(headers).map(([name, header]) => [name.toLowerCase(), header]))
  const sent = Object.keys(answer.headers).filter((name) => !EVERYWHERE.has(name))
  const names = new Set([...known.keys(), ...sent])
  return [...names].flatMap((name) => {
    const [header, value] = [known.get(name), answer.headers[name]]
    if (header === undefined) return [`the header ${name} is not in the document`]
    if (value === undefined) return header.required === true ? [`the header ${name} is missing`] : []
    const read = header.schema['type'] === 'integer' ? Number(value) : value
    return schemaMistakes(document, header.schema, read).map((mistake) => `the header ${name}: ${mistake}`)
  })
}

function bodyMistakes({ document }: Api, stated: ApiResponse, answer: RawAnswer): readonly string[] {
  const { headers, text } = answer
  const contentType = headers['content-type'] ?? ''
  const [type, media] = Object.entries(stated.content ?? {})[0] ?? []
  if (type === undefined || media === undefined) {
    return text === '' ? [] : [`the document says no body, there is ${text.slice(0, 80)}`]
  }
  if (!contentType.startsWith(type)) return [`the content type is ${contentType || 'missing'}, not ${type}`]
  if (type !== 'application/json') return schemaMistakes(document, media.schema, text)
  try {
    return schemaMistakes(document, media.schema, JSON.parse(text) as unknown)
  } catch (error) {
    if (error instanceof SyntaxError) return [`the body is no JSON: ${text.slice(0, 80)}`]
    throw error
  }
}
