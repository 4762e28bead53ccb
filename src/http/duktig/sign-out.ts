import { isDenial } from '../../core/denial.ts'
import { signOut, signOutWithRefreshToken } from '../../usecases/sign-out.ts'
import type { Answer } from '../answer.ts'
import type { HttpRequest } from '../route.ts'
import { denialAnswer } from './denials.ts'
import { type DuktigRoute, type Face, done, leavingCaller, refreshTokenOf } from './face.ts'
import { doneSchema } from './schemas.ts'

const MESSAGE = 'Signed out successfully'

/** `DELETE /auth/token`: takes either token of the session. The session's end is durable before the answer is sent. */
export const signOutRoute: DuktigRoute<'none'> = {
  method: 'DELETE',
  path: '/auth/token',
  operationId: 'signOut',
  tag: 'Authorization',
  summary: 'Sign out: end the session of a refresh token or an access token',
  credential: 'none',
  success: doneSchema(MESSAGE),
  denials: [401, 403],
  extraHeaders: {
    'Refresh-Token': 'A refresh token of the session; it wins when both are sent.',
    'Access-Token': 'An access token of the session, when no refresh token is at hand.',
  },
  handle,
}

async function handle(face: Face, { request }: { request: HttpRequest }): Promise<Answer> {
  const denial = await end(face, request)
  return denial === null ? done(MESSAGE) : denialAnswer(denial)
}

async function end(face: Face, request: HttpRequest) {
  const refreshToken = refreshTokenOf(face, request)
  if (refreshToken !== '') return signOutWithRefreshToken(face.deps, refreshToken, request.address)
  const caller = await leavingCaller(face, request)
  return isDenial(caller) ? caller : signOut(face.deps, caller.session, request.address)
}
