import { StoreBusy } from '../store/store-busy.ts'
import { type Answer, json } from './answer.ts'
import type { HttpRoute } from './route.ts'

/** Many probes may come; the store is asked this often at most. */
const FRESH_MS = 1000
const OK = json(200, { status: 'OK' })

/**
 * `/health/live`: the process answers. `/health/ready`: it can serve, that is, the store can be written. Not public routes, whose
 * gate others behind the same address could fill until the process is killed for not answering.
 */
export function healthRoutes(check: () => Promise<void>, isDraining: () => boolean): readonly HttpRoute[] {
  let checkedAtMs = Number.NEGATIVE_INFINITY
  let last: Promise<Answer> | null = null
  /** What was found when the store was last in a state to tell. */
  let known: Answer = OK
  const ready = (): Promise<Answer> => {
    if (isDraining()) return Promise.resolve(notReady('draining'))
    if (last === null || performance.now() - checkedAtMs > FRESH_MS) {
      checkedAtMs = performance.now()
      last = check()
        .then(
          () => OK,
          // Who serves as much as fits is not to be taken out of service for it.
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
      // What some load balancers ask with.
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
        503: answerOf('Not now; the message says why.', {
          status: { const: 'error' },
          message: { type: 'string' },
        }),
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
