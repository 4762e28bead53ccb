/** The way of an answer to the wire. */
import type { ServerResponse } from 'node:http'
import { LIMITS } from '../settings/limits.ts'
import type { Answer } from './answer.ts'

/** Tells clients for how long they may keep a connection that they do not use. */
const KEEP_ALIVE = `timeout=${LIMITS.keepAliveMs / 1000}`

type Headers = Record<string, string | number>

/** Throws if it has a header that HTTP does not allow; nothing of it has left then. */
export function writeAnswer(response: ServerResponse, answer: Answer, isDraining: boolean): void {
  const headers = headersOf(answer)
  if (isDraining) headers['connection'] = 'close'
  else if (response.shouldKeepAlive) headers['keep-alive'] = KEEP_ALIVE
  response.writeHead(answer.status, headers).end(answer.text)
}

/**
 * Writes the same answer, a 5xx, again and again, as bytes made once: for those who are too many, whose refusal costs a ninth less by
 * it (docs/decisions/0013). Without a date, which RFC 9110, section 6.6.1, leaves to us there. False, and nothing is written,
 * where Node has something to add: an answer before it that waits, headers of others, or the end of the connection.
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
    // Node never sees an end. By `finish` it lets go of the request, and takes the next one of the connection.
    socket.write(bytes, (error) => {
      if (error == null) response.emit('finish')
    })
    return true
  }
}

function headersOf({ status, contentType, text, headers: own }: Answer): Headers {
  const headers: Headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
  // RFC 9110, section 8.6: an answer without content has no length.
  if (status !== 204) {
    headers['content-type'] = contentType ?? 'text/plain; charset=utf-8'
    headers['content-length'] = Buffer.byteLength(text)
  }
  if (own !== undefined) {
    for (const [name, value] of Object.entries(own)) headers[name.toLowerCase()] = value
  }
  return headers
}
