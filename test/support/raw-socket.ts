/** Raw bytes on a connection, for input that no HTTP client would send. */
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'

export interface Connection {
  readonly socket: Socket
  write(bytes: string | Buffer): void
  /** Everything received, as soon as it matches `pattern`. Throws if the other side closes first. */
  until(pattern: RegExp): Promise<string>
  /** Everything received until the other side closes. */
  untilClosed(): Promise<string>
}

export async function openConnection(base: string): Promise<Connection> {
  const { hostname, port } = new URL(base)
  const socket = connect({ host: hostname, port: Number(port) })
  await once(socket, 'connect')
  let received = ''
  // A reset counts as a close.
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
  })
  return {
    socket,
    write: (bytes) => {
      socket.write(bytes)
    },
    async until(pattern) {
      while (!pattern.test(received)) {
        if (socket.closed) throw new Error(`closed after: ${received}`)
        await Promise.race([once(socket, 'data'), once(socket, 'close')])
      }
      return received
    },
    async untilClosed() {
      if (!socket.closed) await once(socket, 'close')
      return received
    },
  }
}

/** Sends bytes on a new connection. Returns everything received until it closes. */
export async function sendBytes(base: string, bytes: string | Buffer): Promise<string> {
  const connection = await openConnection(base)
  connection.write(bytes)
  return connection.untilClosed()
}

/** The status of an answer as received from the socket; 0 if there is none. */
export function statusOf(received: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 0)
}

export function bodyOf(received: string): string {
  return received.slice(received.indexOf('\r\n\r\n') + 4)
}
