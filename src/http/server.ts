/** The HTTP server: limits, time-outs, routing and the way from an answer to the wire. Knows no face. */
import type { IncomingMessage } from 'node:http'
import { isIP, type Socket } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { LIMITS } from '../settings/limits.ts'
import type { Answer } from './answer.ts'
import type { FloodGate } from './flood-gate.ts'
import type { HttpRequest, HttpRoute } from './route.ts'

export interface ServerOptions {
  readonly routes: readonly HttpRoute[]
  /** Set under maintenance: the answer of every route that is not marked `always`. */
  readonly maintenance: Answer | null
  readonly notFound: Answer
  readonly floodGate: FloodGate
  /** Words what meets the gate. */
  readonly tooMany: (retryAfterSeconds: number) => Answer
  /** Words what a handler threw; must not throw itself. */
  readonly fault: (error: unknown, route: string) => Answer
  /** Told about every answer, with the route's pattern and the time it took. */
  readonly observe: (route: string, status: number, durationMs: number) => void
  /** True once the service is to stop: from then on each answer asks the other side to open a connection elsewhere. */
  readonly isDraining: () => boolean
  readonly trustedProxies: readonly string[]
  readonly corsOrigins: readonly string[]
  /** Headers that a web page may send and read. */
  readonly corsHeaders: { readonly allowed: readonly string[]; readonly exposed: readonly string[] }
}

/** Fastify's compilers of schemas, which no route has: to load its own costs 35 ms and 4 MiB. */
const NO_SCHEMAS = { buildValidator: noSchema, buildSerializer: noSchema }

/** Builds the server; `listen` and `close` (which drains) are the caller's. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    schemaController: { compilersFactory: NO_SCHEMAS },
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    requestTimeout: LIMITS.requestMs,
    keepAliveTimeout: LIMITS.keepAliveMs,
    http: {
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: LIMITS.headersMs,
      connectionsCheckingInterval: LIMITS.connectionCheckMs,
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 128 },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (_error, _request, reply) => write(options, reply as FastifyReply, options.notFound),
  })
  // Handlers read bodies themselves, after the checks that come first, and some never do. Of methods that no route has,
  // Fastify would look at the body before it says so.
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'])
    app.addHttpMethod(method, { hasBody: false, overrideExisting: true })
  if (options.corsOrigins.length > 0) await allowOrigins(app, options)
  app.setNotFoundHandler((_request, reply) => {
    write(options, reply, options.maintenance ?? options.notFound)
  })
  app.setErrorHandler((error, _request, reply) => {
    write(options, reply, options.fault(error, 'unrouted'))
  })
  for (const route of options.routes) {
    app.route({
      method: route.method,
      url: routerPath(route),
      handler: (request, reply) => {
        serve(options, route, request, reply)
      },
    })
  }
  await app.ready()
  return app
}

function serve(options: ServerOptions, route: HttpRoute, request: FastifyRequest, reply: FastifyReply): void {
  const startedMs = performance.now()
  const finish = (answer: Answer): void => {
    options.observe(route.path, answer.status, performance.now() - startedMs)
    write(options, reply, answer)
  }
  if (options.maintenance !== null && route.always !== true) return finish(options.maintenance)
  const answer = gated(options, route, new RoutedRequest(request))
  if (answer instanceof Promise) void answer.then(finish)
  else finish(answer)
}

/** Public routes count each time, others when they refuse: whoever holds a good credential is never held up. */
function gated(options: ServerOptions, route: HttpRoute, request: HttpRequest): Promise<Answer> | Answer {
  if (route.isPublic === true) {
    const waitSeconds = options.floodGate.take(request.address)
    if (waitSeconds !== null) return options.tooMany(waitSeconds)
  }
  const fault = (error: unknown): Answer => options.fault(error, route.path)
  const counted = (answer: Answer): Answer => {
    if (route.isPublic === true || answer.status < 400 || answer.status === 429 || answer.status >= 500)
      return answer
    const waitSeconds = options.floodGate.take(request.address)
    return waitSeconds === null ? answer : options.tooMany(waitSeconds)
  }
  try {
    const answer = route.handle(request)
    return answer instanceof Promise ? answer.then(counted, fault) : counted(answer)
  } catch (error) {
    return fault(error)
  }
}

class RoutedRequest implements HttpRequest {
  readonly raw: IncomingMessage
  readonly headers: IncomingMessage['headers']
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly #routed: FastifyRequest

  constructor(routed: FastifyRequest) {
    this.raw = routed.raw
    this.headers = routed.raw.headers
    this.params = routed.params as Readonly<Record<string, string>>
    this.query = routed.query as Readonly<Record<string, unknown>>
    this.#routed = routed
  }

  /** A proxy may pass on nonsense in `X-Forwarded-For`; then the proxy itself is the other side. */
  get address(): string {
    const { ip } = this.#routed
    const address = isIP(ip) === 0 ? (this.raw.socket.remoteAddress ?? '0.0.0.0') : ip
    return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
  }
}

/** Past Fastify, whose way to the wire serves streams, serialisers and trailers, which no answer here has. */
function write(options: ServerOptions, reply: FastifyReply, answer: Answer): void {
  const { status, contentType, text } = answer
  const headers: Record<string, string | number | string[] | undefined> = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }
  // RFC 9110, section 8.6: an answer without content has no length.
  if (status !== 204) {
    headers['content-type'] = contentType ?? 'text/plain; charset=utf-8'
    headers['content-length'] = Buffer.byteLength(text)
  }
  if (answer.headers !== undefined) {
    for (const [name, value] of Object.entries(answer.headers)) headers[name.toLowerCase()] = value
  }
  // What the plugin has said about origins is with Fastify.
  if (options.corsOrigins.length > 0) Object.assign(headers, reply.getHeaders())
  if (options.isDraining()) headers['connection'] = 'close'
  reply.hijack()
  reply.raw.writeHead(status, headers).end(text)
}

/** `/users/{userId}` for the router, with the pattern of each parameter. */
function routerPath(route: HttpRoute): string {
  return route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const pattern = route.params?.[name]
    return pattern === undefined ? `:${name}` : `:${name}(${pattern.source})`
  })
}

function noSchema(): never {
  throw new Error('routes have no schemas here: they check what they read themselves')
}

async function allowOrigins(app: FastifyInstance, options: ServerOptions): Promise<void> {
  const { default: cors } = await import('@fastify/cors')
  await app.register(cors, {
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

/** What arrives is no HTTP: say so and hang up. */
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
}
