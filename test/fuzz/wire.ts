/** HTTP as raw bytes over a kept connection, since a client library would not send what a fuzzer wants to. */
import { type Socket, connect } from 'node:net'
import type { RawAnswer } from '../support/raw-http.ts'

export interface Wire {
  /** Sends one request and reads its answer. */
  exchange(request: Buffer): Promise<RawAnswer>
  close(): void
}

/** Longer than any limit of the service on a slow request; a longer wait is a hang. */
const PATIENCE_MS = 15_000

export function openWire(base: string): Wire {
  const { hostname, port } = new URL(base)
  let socket: Socket | null = null
  let received: Buffer = Buffer.alloc(0)
  let settle: ((end: Error | null) => void) | null = null

  function connected(): Socket {
    if (socket?.destroyed === false && !socket.readableEnded) return socket
    received = Buffer.alloc(0)
    const fresh = connect({ host: hostname, port: Number(port), noDelay: true })
    fresh.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      settle?.(null)
    })
    for (const event of ['error', 'close'] as const) {
      fresh.on(event, () => {
        if (socket === fresh) settle?.(new Error('the connection ended before an answer'))
      })
    }
    socket = fresh
    return fresh
  }

  return {
    exchange(request) {
      const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
      const current = connected()
      // RFC 9110, section 9.3.2: the answer to HEAD has no content, whatever its `Content-Length`.
      const isHead = request.toString('latin1', 0, 5) === 'HEAD '
      const timer = setTimeout(() => settle?.(new Error('no answer came')), PATIENCE_MS)
      settle = (end) => {
        const answer = parsed(received, isHead)
        if (answer === null && end === null) return
        clearTimeout(timer)
        settle = null
        if (answer === null) {
          current.destroy()
          reject(end ?? new Error('no answer'))
          return
        }
        received = received.subarray(answer.size)
        if (answer.last) current.destroy()
        resolve(answer)
      }
      current.write(request)
      return promise
    },
    close: () => socket?.destroy(),
  }
}

/** The first whole answer in `bytes`; null while it is incomplete. `last`: the connection ends with it. */
function parsed(
  bytes: Buffer,
  isHead: boolean,
): (RawAnswer & { readonly size: number; readonly last: boolean }) | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return null
  const head = bytes.toString('latin1', 0, end)
  const fields = [...head.matchAll(/\r\n([^:\r]+): ([^\r]*)/g)]
  const headers = Object.fromEntries(fields.map(([, name = '', value]) => [name.toLowerCase(), value]))
  const length = isHead ? 0 : Number(headers['content-length'] ?? 0)
  const size = end + 4 + length
  if (bytes.length < size) return null
  return {
    status: Number(head.slice(9, 12)),
    headers,
    text: bytes.toString('utf8', end + 4, size),
    size,
    last: headers['connection']?.toLowerCase() === 'close',
  }
}

/** All statuses that come back for `bytes` on a connection of their own, which ends its side after them. */
export function statusesOf(base: string, bytes: Buffer): Promise<readonly number[]> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect({ host: hostname, port: Number(port) })
    socket.setTimeout(PATIENCE_MS, () => {
      socket.destroy()
      reject(new Error('the service held a connection whose other side had ended'))
    })
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
    })
    // A reset is an acceptable way to close.
    socket.on('error', () => {})
    socket.on('close', () => {
      resolve([...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)))
    })
    socket.end(bytes)
  })
}
