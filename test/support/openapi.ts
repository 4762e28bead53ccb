/** The OpenAPI document of a running service, and a check of answers against it. */
import assert from 'node:assert/strict'
import { type Schema, schemaMistakes } from './json-schema.ts'
import { sendJson } from './raw-http.ts'

export interface ApiParameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description?: string
  readonly schema: Schema
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>

export interface ApiOperation {
  readonly method: string
  /** With parameters in braces. */
  readonly path: string
  readonly operationId: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters: readonly ApiParameter[]
  /** The schema of the request body; null if the operation takes none. */
  readonly body: Schema | null
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
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

/** How an answer differs from the document in status, content type or body; empty if it agrees. */
export function answerMistakes(
  { document }: Api,
  operation: ApiOperation,
  answer: { readonly status: number; readonly contentType: string; readonly text: string },
): readonly string[] {
  const { status, contentType, text } = answer
  const stated = operation.responses[status]
  if (stated === undefined) return [`status ${status} is not in the document`]
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
