import type { DuktigRoute } from './face.ts'

/** `GET /system/ping`: answers under maintenance too, so that orchestrators do not kill the process. */
export const pingRoute: DuktigRoute<'none'> = {
  method: 'GET',
  path: '/system/ping',
  operationId: 'ping',
  tag: 'System',
  summary: 'Answer "pong"',
  credential: 'none',
  always: true,
  success: { const: 'pong' },
  successType: 'text/plain',
  handle: () => ({ status: 200, contentType: 'text/plain', text: 'pong' }),
}
