/** What the faces and the server agree on: a route is data plus one function from a request to an answer. */
import type { IncomingMessage } from 'node:http'
import type { Answer } from './answer.ts'

export interface HttpRequest {
  readonly raw: IncomingMessage
  readonly headers: IncomingMessage['headers']
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  /** The other side's address, through trusted proxies only; always a valid IP address. */
  readonly address: string
}

export interface HttpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With parameters in braces, as OpenAPI writes them: `/users/{userId}`. */
  readonly path: string
  /** The parameters of the path; one that does not match makes it an unknown route. */
  readonly params?: Readonly<Record<string, PathParameter>>
  /** Needs no credential: every request counts against the bound of its address. */
  readonly isPublic?: boolean
  /** Answers HEAD too, as GET without the content. */
  readonly answersHead?: boolean
  /** Goes on under maintenance. */
  readonly always?: boolean
  /** Whether one more such request fits; asked before anything of it is looked at. */
  hasRoom?(): boolean
  handle(request: HttpRequest): Promise<Answer> | Answer
  /** For the API reference. */
  readonly operation: Operation
}

export interface PathParameter {
  readonly pattern: RegExp
  /** For the API reference: the values that match, and what they mean. */
  readonly schema: Readonly<Record<string, unknown>>
  readonly description: string
}

/** An OpenAPI operation object without its `parameters` in the path, which come from the route. */
export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly object[]
  readonly requestBody?: object
  readonly responses: Readonly<Record<string, object>>
}

/** A header of the request as one text; empty when absent. */
export function header(request: HttpRequest, name: string): string {
  const value = request.headers[name]
  return typeof value === 'string' ? value : ''
}
