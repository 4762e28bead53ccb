/** The HTTP server: limits, time-outs and routing. It does not depend on any face. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import Router from 'find-my-way'
import { LIMITS, SERVER_LIMITS } from '../settings/limits.ts'
import { type AddressReader, addressReader } from './address.ts'
import type { Answer } from './answer.ts'
import type { FloodGate } from './flood-gate.ts'
import { closeIdleConnections } from './idle-connections.ts'
import type { HttpRequest, HttpRoute } from './route.ts'
import { writeAnswer, prebuiltWriter } from './write-answer.ts'

export interface ServerOptions {
  readonly routes: readonly HttpRoute[]
  /** Set under maintenance: the answer of every route that is not marked `always`. */
  readonly maintenance: Answer | null
  readonly notFound: Answer
  /** The answer when a route's `hasRoom` says no. */
  readonly busy: Answer
  readonly floodGate: FloodGate
  /** The answer to a request that the flood gate refuses. */
  readonly tooMany: (retryAfterSeconds: number) => Answer
  /** Logs an error that was thrown while a request was served, and returns the answer to it. */
  readonly fault: (error: unknown, route: string) => Answer
  /**
   * Told about every answer with the route's pattern and the time it took, except answers to preflight requests and to
   * what is no HTTP request (`refuseConnection`).
   */
  readonly observe: (route: string, status: number, durationMs: number) => void
  /** True once the service is stopping: answers then carry `Connection: close`, so that clients connect elsewhere. */
  readonly isDraining: () => boolean
  readonly trustedProxies: readonly string[]
  readonly corsOrigins: readonly string[]
  /** Headers that a web page may send and read. */
  readonly corsHeaders: { readonly allowed: readonly string[]; readonly exposed: readonly string[] }
}

/** The options, with the writer of the `busy` answer, which is built once at the start. */
interface Serving extends ServerOptions {
  readonly writeBusy: ReturnType<typeof prebuiltWriter>
}

/** Builds the server; listening and draining are up to the caller. */
export async function createServer(given: ServerOptions): Promise<Server> {
  const options: Serving = { ...given, writeBusy: prebuiltWriter(given.busy) }
  // Not an `import`: `operations/metrics.ts` gives the reason.
  const { createServer: create } = process.getBuiltinModule('node:http')
  const route = routing(options, await addressReader(options.trustedProxies))
  const handleCors = options.corsOrigins.length > 0 ? await corsHandler(options) : null
  const server = create(SERVER_LIMITS, (request, response) => {
    if (handleCors === null) return route(request, response)
    // `writeAnswer` sets this header too, but `cors` answers preflight requests without it.
    if (options.isDraining()) response.setHeader('connection', 'close')
    handleCors(request, response, () => route(request, response))
  })
  server.on('connection', (socket) => {
    // Once a client has hung up, Node can no longer find out its address, and its requests would be recorded without
    // one. Reading the address now makes Node remember it; where that comes too late, the connection is destroyed.
    if (socket.remoteAddress === undefined) socket.destroy()
  })
  server.on('clientError', refuseConnection)
  closeIdleConnections(server)
  return server
}

type Routing = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Most requests name a path exactly as its route does. A table finds those faster than the router, which matters when
 * many requests have to be refused (docs/decisions/0021).
 */
function routing(options: Serving, addressOf: AddressReader): Routing {
  const router = routerOf(options, addressOf)
  const fixed = options.routes.filter(({ params }) => params === undefined)
  const byPath = Map.groupBy(fixed, ({ path }) => path)
  return (request, response) => {
    const route = byPath.get(request.url as string)?.find(({ method }) => method === request.method)
    if (route === undefined) return void router.lookup(request, response)
    serve(options, route, response, () => new RoutedRequest(request, {}, {}, addressOf))
  }
}

/** The route, in metrics and in the log, of all requests that no route takes. */
const UNKNOWN = 'unknown'

function routerOf(options: Serving, addressOf: AddressReader): Router.Instance<Router.HTTPVersion.V1> {
  const unknown = (response: ServerResponse): void =>
    finish(options, UNKNOWN, response, performance.now(), options.maintenance ?? options.notFound)
  const router = Router({
    ignoreTrailingSlash: true,
    // The head of a request is bounded already.
    maxParamLength: LIMITS.headerBytes,
    defaultRoute: (_request, response) => unknown(response),
    onBadUrl: (_path, _request, response) => unknown(response),
  })
  for (const route of options.routes) {
    const methods = route.answersHead === true ? [route.method, 'HEAD' as const] : [route.method]
    router.on(methods, routerPath(route), (request, response, params, _store, query) => {
      serve(options, route, response, () => new RoutedRequest(request, params, query, addressOf))
    })
  }
  return router
}

function serve(
  options: Serving,
  route: HttpRoute,
  response: ServerResponse,
  requestOf: () => HttpRequest,
): void {
  const startedMs = performance.now()
  if (options.maintenance !== null && route.always !== true)
    return finish(options, route.path, response, startedMs, options.maintenance)
  try {
    // Over capacity, refusing before any work is spent on the request serves this client and all others best.
    if (route.hasRoom?.() === false) return finish(options, route.path, response, startedMs, options.busy)
    const answer = gated(options, route, requestOf())
    if (!(answer instanceof Promise)) return finish(options, route.path, response, startedMs, answer)
    void answer.then(
      (given) => finish(options, route.path, response, startedMs, given),
      (error) => finish(options, route.path, response, startedMs, faultOf(options, route.path, error)),
    )
  } catch (error) {
    finish(options, route.path, response, startedMs, faultOf(options, route.path, error))
  }
}

function finish(
  options: Serving,
  route: string,
  response: ServerResponse,
  startedMs: number,
  answer: Answer,
): void {
  try {
    const written = tryToWrite(options, route, response, answer)
    options.observe(route, written.status, performance.now() - startedMs)
  } catch (error) {
    // The last resort: whatever else goes wrong ends this request and not the process.
    if (!response.writableEnded) response.destroy()
    faultOf(options, route, error)
  }
}

/** The answer to a fault: a bare 500 if `options.fault` itself throws. */
function faultOf(options: ServerOptions, route: string, error: unknown): Answer {
  try {
    return options.fault(error, route)
  } catch {
    return { status: 500, contentType: null, text: '' }
  }
}

/**
 * Runs the route and counts the request against the bound of its address: on a public route always, on others only if
 * the answer is a 4xx other than 429. So outside public routes, the gate never holds up a request that succeeds. It has
 * no part in a route that is not counted.
 */
function gated(options: ServerOptions, route: HttpRoute, request: HttpRequest): Promise<Answer> | Answer {
  if (route.isUncounted === true) return route.handle(request)
  if (route.isPublic === true) {
    const waitSeconds = options.floodGate.take(request.address)
    if (waitSeconds !== null) return options.tooMany(waitSeconds)
  }
  const counted = (answer: Answer): Answer => {
    if (route.isPublic === true || answer.status < 400 || answer.status === 429 || answer.status >= 500)
      return answer
    const waitSeconds = options.floodGate.take(request.address)
    return waitSeconds === null ? answer : options.tooMany(waitSeconds)
  }
  const answer = route.handle(request)
  return answer instanceof Promise ? answer.then(counted) : counted(answer)
}

class RoutedRequest implements HttpRequest {
  readonly raw: IncomingMessage
  readonly headers: IncomingMessage['headers']
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly #addressOf: AddressReader

  constructor(
    raw: IncomingMessage,
    params: Readonly<Record<string, string | undefined>>,
    query: Readonly<Record<string, unknown>>,
    addressOf: AddressReader,
  ) {
    this.raw = raw
    this.headers = raw.headers
    this.params = params as Readonly<Record<string, string>>
    this.query = query
    this.#addressOf = addressOf
  }

  get address(): string {
    return this.#addressOf(this.raw)
  }
}

/** Writes an answer and returns it. If that throws, nothing has been sent: a fault is written and returned instead. */
function tryToWrite(options: Serving, route: string, response: ServerResponse, answer: Answer): Answer {
  try {
    const isDraining = options.isDraining()
    if (answer !== options.busy || isDraining || !options.writeBusy(response))
      writeAnswer(response, answer, isDraining)
    return answer
  } catch (error) {
    // A `writeHead` that throws leaves headers and status phrase behind. The CORS headers were set before it, and stay.
    for (const name of response.getHeaderNames()) {
      if (name !== 'vary' && !name.startsWith('access-control-')) response.removeHeader(name)
    }
    response.statusMessage = ''
    const fault = faultOf(options, route, error)
    writeAnswer(response, fault, options.isDraining())
    return fault
  }
}

/** The path in the router's notation: `{userId}` becomes `:userId`, followed by the parameter's pattern. */
function routerPath(route: HttpRoute): string {
  return route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = route.params?.[name]
    return parameter === undefined ? `:${name}` : `:${name}(${parameter.pattern.source})`
  })
}

type CorsHandler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

/** Answers preflight requests, and adds to every other answer the headers that say which origins may read it. */
async function corsHandler(options: ServerOptions): Promise<CorsHandler> {
  const { default: cors } = await import('cors')
  return cors({
    origin: [...options.corsOrigins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [...options.corsHeaders.allowed],
    exposedHeaders: [...options.corsHeaders.exposed],
    maxAge: 600,
  })
}

const CONNECTION_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** Answers what Node could not read as a request (malformed, too large or too slow), and closes the connection. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || socket.destroyed || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = CONNECTION_ERRORS[error.code ?? ''] ?? '400 Bad Request'
  const body = JSON.stringify({ status: 'error', message: status.slice(4) })
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
      `Cache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  )
  // `end` closes only the server's half: a client that never closes its own half would hold the connection for ever.
  setTimeout(() => socket.destroy(), LIMITS.connectionCheckMs).unref()
}
