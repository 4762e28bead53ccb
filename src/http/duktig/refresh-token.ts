import { isDenial } from '../../core/denial.ts'
import { LIMITS } from '../../settings/limits.ts'
import { identifyApplication } from '../../usecases/identify-application.ts'
import { refreshSession } from '../../usecases/refresh-session.ts'
import { type Answer, rawJson } from '../answer.ts'
import { type HttpRequest, header } from '../route.ts'
import { denialAnswer } from './denials.ts'
import { deviceOf } from './device.ts'
import { type DuktigRoute, type Face, forwarded, refreshTokenOf } from './face.ts'
import { object, tokenProperties } from './schemas.ts'

const MESSAGE = 'Access token regenerated successfully'

/** `POST /auth/refresh_token`: ignores the body, even if it is broken JSON. */
export const refreshTokenRoute: DuktigRoute<'none'> = {
  method: 'POST',
  path: '/auth/refresh_token',
  operationId: 'refreshToken',
  tag: 'Authorization',
  summary: 'Get a new access token for a refresh token',
  description:
    'Where the answer holds a `refresh_token`, store it in place of the one you sent; where it does not, yours stays good. ' +
    'A refused holder of a genuine token is told why in `X-Session-End-Reason`. The body is ignored.',
  credential: 'none',
  success: object({ status: { const: 'OK' }, message: { const: MESSAGE }, ...tokenProperties }, [
    'refresh_token',
  ]),
  denials: [401, 403],
  hasRoom: ({ store }) => store.hasRoomToRefresh(),
  extraHeaders: {
    'Refresh-Token': 'The refresh token; `X-Refresh-Token` works too.',
    'X-Auth-Key':
      'The key of the application that the token belongs to; optional, unless the policy of that application demands it.',
    'Idempotency-Key': `One random key for each refresh token that you store; send it with every try of that token. One of more than ${LIMITS.attemptKeyCharacters} characters is ignored.`,
  },
  handle,
}

async function handle(face: Face, { request }: { request: HttpRequest }): Promise<Answer> {
  const refreshToken = refreshTokenOf(face, request)
  if (refreshToken === '') return denialAnswer({ denied: 'credential-missing' })
  const receivedAtMs = face.deps.store.clock.nowMs()
  const key = header(request, face.headers.authKey)
  const application = key === '' ? null : await identifyApplication(face.deps, key, request)
  if (application !== null && isDenial(application)) return denialAnswer(application)
  const from = application === null ? request : forwarded(request, application)
  const refreshed = await refreshSession(face.deps, {
    refreshToken,
    receivedAtMs,
    attemptKey: attemptKeyOf(request),
    application,
    address: from.address,
    device: () => deviceOf(from),
  })
  if (isDenial(refreshed)) return denialAnswer(refreshed)
  // The JSON is put together by hand: tokens need no escaping, and no other answer is as frequent as this one.
  const successor = refreshed.refreshToken === null ? '' : `,"refresh_token":"${refreshed.refreshToken}"`
  return rawJson(
    200,
    `{"status":"OK","message":"${MESSAGE}","access_token":"${refreshed.accessToken}","expires_in":${refreshed.expiresAtSeconds}${successor}}`,
  )
}

function attemptKeyOf(request: HttpRequest): string | null {
  const value = header(request, 'idempotency-key')
  return value === '' || value.length > LIMITS.attemptKeyCharacters ? null : value
}
