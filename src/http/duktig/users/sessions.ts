import { LIMITS } from '../../../settings/limits.ts'
import { endSession } from '../../../usecases/end-session.ts'
import { endSessions } from '../../../usecases/end-sessions.ts'
import { listSessions } from '../../../usecases/list-sessions.ts'
import { json } from '../../answer.ts'
import { denialAnswer } from '../denials.ts'
import { type DuktigRoute, SESSION_ID, USER_ID, actionBy, done } from '../face.ts'
import { doneSchema, sessionSchema } from '../schemas.ts'
import { sessionBody } from '../session-body.ts'
import { existing, ofOneAccount } from './common.ts'

const REASON = 'ended-by-administrator'

/** `GET /users/{userId}/sessions`: includes sessions that are over, with the reason. */
const list: DuktigRoute<'access'> = {
  ...ofOneAccount,
  method: 'GET',
  path: '/users/{userId}/sessions',
  operationId: 'listSessions',
  summary: 'List the sessions of an account, newest first, ended ones with their reason',
  description: `At most ${LIMITS.sessionsListed}: all that live, and the newest of those that do not, as long as they are kept.`,
  target: existing,
  success: { type: 'array', items: sessionSchema },
  async handle({ deps, dates }, call) {
    deps.events.action(actionBy(call, 'User->getSessions', `Sessions of ${call.userId} listed`))
    const sessions = await listSessions(deps, call.userId)
    return json(
      200,
      sessions.map((session) => ({
        ...sessionBody(session, dates),
        endReason: session.over,
        dateEnded: dates.format(session.overAtMs),
      })),
    )
  },
}

/** `DELETE /users/{userId}/sessions/{sessionId}`. */
const endOne: DuktigRoute<'access'> = {
  ...ofOneAccount,
  method: 'DELETE',
  path: '/users/{userId}/sessions/{sessionId}',
  params: { ...USER_ID, ...SESSION_ID },
  operationId: 'endSession',
  summary: 'End one session of an account',
  target: existing,
  success: doneSchema('Session ended successfully'),
  async handle({ deps }, call) {
    const by = actionBy(call, 'Users->endSessions', `Session of ${call.userId} ended`)
    const denial = await endSession(deps, by, call.userId, call.sessionId, REASON)
    return denial === null ? done('Session ended successfully') : denialAnswer(denial)
  },
}

/** `DELETE /users/{userId}/sessions`. */
const endAll: DuktigRoute<'access'> = {
  ...ofOneAccount,
  method: 'DELETE',
  path: '/users/{userId}/sessions',
  operationId: 'endSessions',
  summary: 'Sign an account out everywhere',
  target: existing,
  success: doneSchema('All sessions ended successfully'),
  async handle({ deps }, call) {
    const by = actionBy(call, 'Users->endSessions', `Sessions of ${call.userId} ended`)
    await endSessions(deps, by, call.userId, REASON)
    return done('All sessions ended successfully')
  },
}

export const sessionRoutes: readonly DuktigRoute[] = [list, endOne, endAll]
