import { deny } from '../../../core/denial.ts'
import { json } from '../../answer.ts'
import { denialAnswer } from '../denials.ts'
import { type DuktigRoute, actionBy } from '../face.ts'
import { accountSchema } from '../schemas.ts'
import { accountBody, ofOneAccount } from './common.ts'

/** `GET /users/{userId}`. */
export const readAccountRoute: DuktigRoute<'access'> = {
  ...ofOneAccount,
  method: 'GET',
  path: '/users/{userId}',
  operationId: 'readAccount',
  summary: 'Read an account',
  success: accountSchema,
  denials: [404],
  async handle({ deps, dates }, call) {
    const account = await deps.store.findAccount(call.userId)
    if (account === null) return denialAnswer(deny('target-unknown'))
    deps.events.action(actionBy(call, 'Users->getAccount', `Account ${call.userId} read`))
    return json(200, accountBody(account, dates))
  },
}
