import { GUEST, SYSTEM } from '../../../core/actions.ts'
import type { Denial } from '../../../core/denial.ts'
import { LIMITS } from '../../../settings/limits.ts'
import { listActions } from '../../../usecases/list-actions.ts'
import { json } from '../../answer.ts'
import { type DuktigRoute, type Face, USER_ID, actionBy } from '../face.ts'
import { integer, unixDate, wholeNumber } from '../rules.ts'
import { actionSchema } from '../schemas.ts'
import { administration, existing } from './common.ts'

/** User ids in this path: integers above 0, and the special ids of guests and the system. */
const ACTOR_ID = {
  userId: {
    pattern: /^(?:[1-9]\d{0,18}|-2|-3)$/,
    schema: { anyOf: [USER_ID.userId.schema, { const: GUEST }, { const: SYSTEM }] },
    description: `The id of an account; ${GUEST} for guests, who are requests without an account; ${SYSTEM} for the system, which is the command line and jobs.`,
  },
}

function existingActor(face: Face, userId: number): Promise<Denial | null> {
  return userId === GUEST || userId === SYSTEM ? Promise.resolve(null) : existing(face, userId)
}

/** `GET /users/{userId}/actions`. */
export const listActionsRoute: DuktigRoute<'access'> = {
  ...administration,
  method: 'GET',
  path: '/users/{userId}/actions',
  params: ACTOR_ID,
  operationId: 'listActions',
  summary: 'List what an account did, newest first',
  description:
    '`dateFrom` and `dateTo` are Unix seconds, both included. ' +
    `At most ${LIMITS.actionsListed} at a time.`,
  target: existingActor,
  query: { offset: integer(0), limit: integer(1), dateFrom: unixDate, dateTo: unixDate },
  success: { type: 'array', items: actionSchema },
  async handle({ deps, dates }, call) {
    const actions = await listActions(deps, {
      accountId: call.userId,
      offset: wholeNumber(call.query['offset']),
      limit: wholeNumber(call.query['limit']),
      fromSeconds: Number(call.query['dateFrom']),
      toSeconds: Number(call.query['dateTo']),
    })
    deps.events.action(actionBy(call, 'Users->getUserActions', `Actions of ${call.userId} listed`))
    return json(
      200,
      actions.map(({ atMs, code, message }) => ({
        dateAction: dates.format(atMs),
        actionCode: code,
        actionMessage: message,
      })),
    )
  },
}
