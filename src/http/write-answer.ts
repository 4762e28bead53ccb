/** Writes answers to their connections. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LIMITS } from '../settings/limits.ts'
import type { Answer } from './answer.ts'

/** Tells clients how long they may keep an idle connection. */
const KEEP_ALIVE = `timeout=${LIMITS.keepAliveMs / 1000}`

/**
 * Node counts a connection as idle once its answer has ended, even if the client has not taken all of it, and a stop
 * closes idle connections. So a longer answer ends only when it has left; a shorter one fits into the system's buffers.
 */
const AT_ONCE_CHARACTERS = 16_384

type Headers = Record<string, string | number>

/** Throws if the answer has a header that HTTP does not allow; nothing has been sent then. */
export function writeAnswer(response: ServerResponse, answer: Answer, isDraining: boolean): void {
  const headers = headersOf(answer)
  if (isDraining || leavesBody(response.req)) headers['connection'] = 'close'
  else if (response.shouldKeepAlive) headers['keep-alive'] = KEEP_ALIVE
  response.writeHead(answer.status, headers)
  if (answer.text.length <= AT_ONCE_CHARACTERS) response.end(answer.text)
  else response.write(answer.text, () => response.end())
}

/**
 * Whether the client is still sending a body of unknown or excessive length. On a connection that is kept, Node would
 * read all of it and throw it away. A client that goes on sending megabytes may see a reset in place of the answer.
 */
function leavesBody(request: IncomingMessage): boolean {
  if (request.complete) return false
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers
  return coding !== undefined || Number(length ?? 0) > LIMITS.bodyBytes
}

/**
 * Makes a function that writes one 5xx answer from bytes built once. Refusals of an overloaded service cost a ninth
 * less this way (docs/decisions/0013). The bytes have no `Date`: RFC 9110, section 6.6.1, does not demand it of a 5xx.
 *
 * The function returns false, and writes nothing, where Node must write the answer: if an earlier answer on the
 * connection is still pending, if headers have been set, if the connection is to be closed, and for HEAD.
 */
export function prebuiltWriter(answer: Answer): (response: ServerResponse) => boolean {
  const headers: Headers = { ...headersOf(answer), connection: 'keep-alive', 'keep-alive': KEEP_ALIVE }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const { STATUS_CODES } = process.getBuiltinModule('node:http')
  const statusLine = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n`
  const bytes = Buffer.from(`${statusLine}${lines.join('')}\r\n${answer.text}`)
  return (response) => {
    const { socket } = response
    if (socket === null || !response.shouldKeepAlive || response.req.method === 'HEAD') return false
    if (response.getHeaderNames().length > 0) return false
    // `response.end` is never called: `finish` makes Node release the request and take the connection's next one.
    socket.write(bytes, (error) => {
      if (error == null) response.emit('finish')
    })
    return true
  }
}

function headersOf({ status, contentType, text, headers: own }: Answer): Headers {
  const headers: Headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
  // RFC 9110, section 8.6: a 204 has no `Content-Length`.
  if (status !== 204) {
    headers['content-type'] = contentType ?? 'text/plain; charset=utf-8'
    headers['content-length'] = Buffer.byteLength(text)
  }
  if (own !== undefined) {
    for (const [name, value] of Object.entries(own)) headers[name.toLowerCase()] = value
  }
  return headers
}
