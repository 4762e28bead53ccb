import { endSession } from '../../usecases/end-session.ts'
import { endSessions } from '../../usecases/end-sessions.ts'
import { listSessions } from '../../usecases/list-sessions.ts'
import { json } from '../answer.ts'
import { denialAnswer } from './denials.ts'
import { type DuktigRoute, SESSION_ID, actionBy, done } from './face.ts'
import { doneSchema, ownSessionSchema } from './schemas.ts'
import { sessionBody } from './session-body.ts'

/** `GET /account/sessions`: the caller's live sessions, newest first. */
const list: DuktigRoute<'access'> = {
  method: 'GET',
  path: '/account/sessions',
  operationId: 'listOwnSessions',
  tag: 'Sessions',
  summary: 'List your live sessions, newest first',
  credential: 'access',
  success: { type: 'array', items: ownSessionSchema },
  async handle({ deps, dates }, call) {
    const { accountId } = call.caller.account
    deps.events.action(actionBy(call, 'User->getSessions', 'Sessions listed'))
    const sessions = await listSessions(deps, accountId)
    const live = sessions.filter((session) => session.over === null)
    return json(
      200,
      live.map((session) => ({
        ...sessionBody(session, dates),
        currentDevice: session.sessionId === call.caller.session.sessionId ? 'Yes' : 'No',
      })),
    )
  },
}

/** `DELETE /account/sessions/{sessionId}`. */
const endOne: DuktigRoute<'access'> = {
  method: 'DELETE',
  path: '/account/sessions/{sessionId}',
  params: SESSION_ID,
  operationId: 'endOwnSession',
  tag: 'Sessions',
  summary: 'End one of your sessions',
  credential: 'access',
  endsOwnSession: true,
  success: doneSchema('Session ended successfully'),
  denials: [404],
  async handle({ deps }, call) {
    const by = actionBy(call, 'User->endSessions', 'Session ended successfully')
    const denial = await endSession(deps, by, by.accountId, call.sessionId, 'ended-by-user')
    return denial === null ? done(by.message) : denialAnswer(denial)
  },
}

/** `DELETE /account/sessions`: ends all of the caller's sessions, the current one included. */
const endAll: DuktigRoute<'access'> = {
  method: 'DELETE',
  path: '/account/sessions',
  operationId: 'endOwnSessions',
  tag: 'Sessions',
  summary: 'Sign out everywhere',
  credential: 'access',
  endsOwnSession: true,
  success: doneSchema('All sessions ended successfully'),
  async handle({ deps }, call) {
    const by = actionBy(call, 'User->endSessions', 'All sessions ended successfully')
    await endSessions(deps, by, by.accountId, 'ended-by-user')
    return done(by.message)
  },
}

export const ownSessionRoutes: readonly DuktigRoute[] = [list, endOne, endAll]
