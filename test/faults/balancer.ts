/**
 * A minimal load balancer: requests go in turn to the instances whose readiness check, made every 100 ms, answers 200.
 * Connections to instances are kept; no request is sent twice. A request that cannot be passed on gets 502.
 */
import { once } from 'node:events'
import { Agent, type IncomingMessage, type ServerResponse, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

const ASK_EVERY_MS = 100
const ANSWER_MS = 5000

export interface Balancer {
  readonly address: string
  /** Puts an instance at index `at`; it gets requests once its readiness check answers 200. */
  put(at: number, address: string): void
  /** Settles when the instance at index `at` gets requests or, with `ready` false, no longer gets any. */
  until(at: number, ready: boolean): Promise<void>
  close(): Promise<void>
}

interface Instance {
  readonly address: string
  ready: boolean
}

export async function startBalancer(): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true })
  const instances: Instance[] = []
  const listeners = new Set<() => void>()
  let turn = 0

  const server = createServer((incoming, answer) => {
    const ready = instances.filter((instance) => instance.ready)
    const chosen = ready[turn++ % ready.length]
    if (chosen === undefined) answer.writeHead(502).end()
    else pass(agent, chosen.address, incoming, answer)
  })
  const asking = setInterval(() => {
    for (const instance of instances) void ask(instance).then(tell)
  }, ASK_EVERY_MS)
  const tell = () => {
    for (const listener of listeners) listener()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    put(at, address) {
      instances[at] = { address, ready: false }
    },
    until: (at, wanted) =>
      new Promise((resolve) => {
        const look = () => {
          if ((instances[at]?.ready ?? false) !== wanted) return
          listeners.delete(look)
          resolve()
        }
        listeners.add(look)
        look()
      }),
    async close() {
      clearInterval(asking)
      agent.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function ask(instance: Instance): Promise<void> {
  try {
    const answer = await fetch(`${instance.address}/health/ready`, { signal: AbortSignal.timeout(ANSWER_MS) })
    await answer.arrayBuffer()
    instance.ready = answer.status === 200
  } catch {
    instance.ready = false
  }
}

function pass(agent: Agent, address: string, incoming: IncomingMessage, answer: ServerResponse): void {
  const { method, headers, url } = incoming
  const { connection: _, host: __, ...passed } = headers
  const outgoing = request(new URL(url ?? '/', address), {
    agent,
    ...(method === undefined ? {} : { method }),
    headers: passed,
    timeout: ANSWER_MS,
  })
  outgoing.on('response', (response) => {
    const { connection: ___, 'keep-alive': ____, ...kept } = response.headers
    answer.writeHead(response.statusCode ?? 502, kept)
    response.pipe(answer)
  })
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
  outgoing.on('error', (error) => {
    if (!answer.headersSent) answer.writeHead(502, { 'x-why': error.message })
    answer.end()
  })
  incoming.pipe(outgoing)
}
