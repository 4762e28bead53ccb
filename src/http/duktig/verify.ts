import { isDenial } from '../../core/denial.ts'
import { empty } from '../answer.ts'
import { denialAnswer } from './denials.ts'
import { type DuktigRoute, callerOf } from './face.ts'

/** `GET /auth/verify`, which proxies ask before they pass a request on (nginx `auth_request`, Traefik ForwardAuth). */
export const verifyRoute: DuktigRoute<'none'> = {
  method: 'GET',
  path: '/auth/verify',
  operationId: 'verify',
  tag: 'Authorization',
  summary: 'Whether an access token is good at this moment; no body',
  credential: 'none',
  // nginx would turn a 429 into a 500, and the address may be that of the proxy, which asks for all its users. A refusal
  // costs little and gives nobody a chance to guess.
  isUncounted: true,
  success: null,
  successHeaders: {
    'X-User-Id': 'The id of the account, for a proxy to pass on.',
    'X-User-Role': 'The number of its role.',
    'X-Session-Id': 'The id of the session.',
  },
  bodilessDenials: [401, 403],
  extraHeaders: { 'Access-Token': 'The access token; `Authorization: Bearer` works too.' },
  async handle(face, { request }) {
    const caller = await callerOf(face, request)
    if (isDenial(caller)) {
      const { status, headers } = denialAnswer(caller)
      return empty(status, headers)
    }
    const { accountId, roleId } = caller.account
    return empty(200, {
      'X-User-Id': String(accountId),
      'X-User-Role': String(roleId),
      'X-Session-Id': caller.session.sessionId,
    })
  },
}
