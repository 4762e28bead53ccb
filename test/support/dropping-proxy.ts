/** A TCP proxy that lets requests through and drops the answers, like a line that breaks after a request was served. */
import { once } from 'node:events'
import { type Socket, connect, createServer } from 'node:net'

export interface DroppingProxy {
  readonly address: string
  /** The answers that arrived at the proxy, whole; none of them reached the client. */
  readonly dropped: readonly string[]
  close(): Promise<void>
}

/** Starts the proxy in front of `base`. When a client's connection breaks, the answer has already left the service. */
export async function startDroppingProxy(base: string): Promise<DroppingProxy> {
  const { hostname, port } = new URL(base)
  const dropped: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect({ host: hostname, port: Number(port) })
    let answer = ''
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    client.pipe(upstream)
    upstream.setEncoding('utf8')
    upstream.on('data', (text: string) => {
      answer += text
      if (!isWhole(answer)) return
      dropped.push(answer)
      upstream.destroy()
      client.resetAndDestroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: own } = server.address() as { port: number }
  return {
    address: `http://127.0.0.1:${own}`,
    dropped,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Relies on `Content-Length`, which the service's answers have. */
function isWhole(answer: string): boolean {
  const bodyAt = answer.indexOf('\r\n\r\n') + 4
  const length = /^content-length: (\d+)/im.exec(answer)?.[1]
  return bodyAt > 3 && Buffer.byteLength(answer.slice(bodyAt)) >= Number(length ?? 0)
}
