/** A TCP proxy in front of a database. A test can cut its connections, slow them, silence them, and mend them. */
import { once } from 'node:events'
import { type Socket, connect, createServer } from 'node:net'

export interface CuttingProxy {
  /** The database's URL, by way of the proxy. */
  readonly url: string
  /** Breaks all connections and refuses new ones. */
  cut(): void
  /** Does the same once the server has sent `bytes` more bytes. */
  cutAfter(bytes: number): void
  /** Passes everything on, `ms` milliseconds later in each direction. */
  slow(ms: number): void
  /** Passes nothing on in either direction, but keeps all connections open. */
  silence(): void
  mend(): void
  close(): Promise<void>
}

type State = 'whole' | 'cut' | 'silent'

export async function startCuttingProxy(databaseUrl: string): Promise<CuttingProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let state: State = 'whole'
  let bytesLeft = Number.POSITIVE_INFINITY
  let delayMs = 0
  const setState = (next: State) => {
    state = next
    bytesLeft = Number.POSITIVE_INFINITY
    delayMs = 0
    // Connections that were silent break when the proxy is mended, as after a fail-over.
    if (next !== 'silent') for (const socket of sockets) socket.destroy()
  }
  const server = createServer((client) => {
    if (state === 'cut') {
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ host: target.hostname, port: Number(target.port) })
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.on('data', (chunk) => {
        if (state === 'whole' && delayMs > 0) setTimeout(() => to.write(chunk), delayMs)
        else if (state === 'whole') to.write(chunk)
        if (from === upstream) bytesLeft -= chunk.length
        if (bytesLeft <= 0) setState('cut')
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = new URL(databaseUrl)
  own.hostname = '127.0.0.1'
  own.port = String((server.address() as { port: number }).port)
  return {
    url: own.href,
    cut: () => setState('cut'),
    cutAfter: (bytes) => {
      bytesLeft = bytes
    },
    slow: (ms) => {
      delayMs = ms
    },
    silence: () => setState('silent'),
    mend: () => setState('whole'),
    async close() {
      setState('cut')
      server.close()
      await once(server, 'close')
    },
  }
}
