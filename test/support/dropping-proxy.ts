/** A TCP proxy that lets requests through and drops the answers: what a client sees when the line breaks too late. */
import { once } from 'node:events'
import { type Socket, connect, createServer } from 'node:net'

export interface DroppingProxy {
  readonly address: string
  /** The answers that arrived here and went no further, whole. */
  readonly dropped: readonly string[]
  close(): Promise<void>
}

/** In front of `base`. The answer has left the service when the connection of the client breaks. */
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

/** Our answers say their length. */
function isWhole(answer: string): boolean {
  const bodyAt = answer.indexOf('\r\n\r\n') + 4
  const length = /^content-length: (\d+)/im.exec(answer)?.[1]
  return bodyAt > 3 && Buffer.byteLength(answer.slice(bodyAt)) >= Number(length ?? 0)
}
