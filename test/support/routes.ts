/** The routes of a running service, read from its own OpenAPI document, so that tests cover future routes as well. */
import assert from 'node:assert/strict'
import { sendJson } from './raw-http.ts'

export interface RouteFacts {
  readonly method: string
  /** With parameters in braces. */
  readonly path: string
  readonly parameters: readonly { readonly name: string; readonly in: string }[]
  /** Names of the properties of the request body; empty if the route takes none. */
  readonly bodyFields: readonly string[]
  /** The statuses that the document states for the route. */
  readonly statuses: readonly number[]
}

interface OperationFacts {
  readonly responses: Record<string, unknown>
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: {
    readonly content: Record<string, { readonly schema: { readonly properties?: object } }>
  }
}

export async function routesOf(address: string): Promise<readonly RouteFacts[]> {
  const { status, body } = await sendJson(address, 'GET', '/openapi.json')
  assert.equal(status, 200)
  const paths = body['paths'] as Record<string, Record<string, OperationFacts>>
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      parameters: operation.parameters ?? [],
      statuses: Object.keys(operation.responses).map(Number),
      bodyFields: Object.keys(operation.requestBody?.content['application/json']?.schema.properties ?? {}),
    })),
  )
}
