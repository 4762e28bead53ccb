/** What the faces and the server agree on: a route is data plus one function from a request to an answer. */
import type { IncomingMessage } from 'node:http'
import type { Answer } from './answer.ts'

export interface HttpRequest {
  readonly raw: IncomingMessage
  readonly headers: IncomingMessage['headers']
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  /**
   * The client's address, always a valid one: the socket's, unless a trusted proxy names another, or, on routes that
   * take an application key, a trusted backend does (`forwarded` in `duktig/face.ts`).
   */
  readonly address: string
}

export interface HttpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With parameters in braces, as OpenAPI writes them: `/users/{userId}`. */
  readonly path: string
  /** The parameters of the path. A path whose value does not match the pattern is an unknown route. */
  readonly params?: Readonly<Record<string, PathParameter>>
  /** Open to everybody: every request, not only a refused one, counts against the bound of its address. */
  readonly isPublic?: boolean
  /** Its refusals do not count against the bound of their address, and no 429 takes their place. */
  readonly isUncounted?: boolean
  /** Also answers HEAD, as GET without the content. */
  readonly answersHead?: boolean
  /** Is served under maintenance too. */
  readonly always?: boolean
  /** Whether the service can take one more request of this route; asked before the request is examined. */
  hasRoom?(): boolean
  handle(request: HttpRequest): Promise<Answer> | Answer
  /** For the API reference. */
  readonly operation: Operation
}

export interface PathParameter {
  readonly pattern: RegExp
  /** For the API reference: the schema of the values that match `pattern`; `description` says what they mean. */
  readonly schema: Readonly<Record<string, unknown>>
  readonly description: string
}

/** An OpenAPI operation object. Its `parameters` leave out those of the path, which come from the route. */
export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly object[]
  readonly requestBody?: object
  readonly responses: Readonly<Record<string, object>>
}

/** A header of the request as one text; empty when absent. */
export function header(request: HttpRequest, name: string): string {
  const value = request.headers[name]
  return typeof value === 'string' ? value : ''
}
