import { StoreBusy } from '../store/store-busy.ts'
import { type Answer, json } from './answer.ts'
import { RETRY_AFTER } from './openapi.ts'
import type { HttpRoute } from './route.ts'

/** The store is checked at most once in this time, however many probes come. */
const FRESH_MS = 1000
const OK = json(200, { status: 'OK' })

/**
 * `/health/live`: the process answers. `/health/ready`: it can serve, that is, the store can be written. The routes are
 * not marked public: clients behind the probe's address could exhaust the flood gate, and the orchestrator would kill
 * the process.
 */
export function healthRoutes(check: () => Promise<void>, isDraining: () => boolean): readonly HttpRoute[] {
  let checkedAtMs = Number.NEGATIVE_INFINITY
  let last: Promise<Answer> | null = null
  /** The result of the last check that the store was not too busy to answer. */
  let known: Answer = OK
  const ready = (): Promise<Answer> => {
    if (isDraining()) return Promise.resolve(notReady('draining'))
    if (last === null || performance.now() - checkedAtMs > FRESH_MS) {
      checkedAtMs = performance.now()
      last = check()
        .then(
          () => OK,
          // A busy store serves at full capacity, so the last known result stands and the instance stays in service.
          (error: unknown) => (error instanceof StoreBusy ? known : notReady('the store cannot be written')),
        )
        .then((answer) => {
          known = answer
          return answer
        })
    }
    return last
  }
  return [
    {
      method: 'GET',
      path: '/health/live',
      // Some load balancers probe with HEAD.
      answersHead: true,
      always: true,
      handle: () => OK,
      operation: operation('live', 'Whether the process answers', {}),
    },
    {
      method: 'GET',
      path: '/health/ready',
      answersHead: true,
      always: true,
      handle: ready,
      operation: operation('ready', 'Whether the service can serve', {
        503: {
          ...answerOf('Not now; the message says why.', {
            status: { const: 'error' },
            message: { type: 'string' },
          }),
          headers: RETRY_AFTER,
        },
      }),
    },
  ]
}

function notReady(message: string): Answer {
  return json(503, { status: 'error', message }, { 'Retry-After': '1' })
}

function operation(
  operationId: string,
  summary: string,
  denials: Record<string, object>,
): HttpRoute['operation'] {
  const responses = { 200: answerOf('Yes.', { status: { const: 'OK' } }), ...denials }
  return { operationId, summary, tags: ['System'], security: [], responses }
}

function answerOf(description: string, properties: Record<string, object>): object {
  const schema = {
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  }
  return { description, content: { 'application/json': { schema } } }
}
