import { STATUS } from '../../../core/account.ts'
import { deny, isDenial } from '../../../core/denial.ts'
import { changeAccount } from '../../../usecases/change-account.ts'
import { denialAnswer } from '../denials.ts'
import { type DuktigRoute, actionBy, done } from '../face.ts'
import { doneSchema } from '../schemas.ts'
import { existing, ofOneAccount } from './common.ts'

const MESSAGE = 'Account Terminated successfully'

/** `DELETE /users/{userId}`: terminates the account for good. Repeating the request is no error. */
export const terminateAccountRoute: DuktigRoute<'access'> = {
  ...ofOneAccount,
  method: 'DELETE',
  path: '/users/{userId}',
  operationId: 'terminateAccount',
  summary: 'Terminate an account for good and end its sessions',
  target: existing,
  success: doneSchema(MESSAGE),
  denials: [422],
  async handle({ deps }, call) {
    if (call.userId === call.caller.account.accountId) return denialAnswer(deny('own-account'))
    const by = actionBy(call, 'Users->terminateAccount', `Account ${call.userId} terminated`)
    const changed = await changeAccount(deps, by, call.userId, { status: STATUS.terminated })
    const refused = isDenial(changed) && changed.denied !== 'target-terminated'
    return refused ? denialAnswer(changed) : done(MESSAGE)
  },
}
