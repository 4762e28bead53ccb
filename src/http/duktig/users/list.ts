import { LIMITS } from '../../../settings/limits.ts'
import { json } from '../../answer.ts'
import { type DuktigRoute, actionBy } from '../face.ts'
import { integer, wholeNumber } from '../rules.ts'
import { accountSchema } from '../schemas.ts'
import { accountBody, administration } from './common.ts'

/** `GET /users`. */
export const listAccountsRoute: DuktigRoute<'access'> = {
  ...administration,
  method: 'GET',
  path: '/users',
  operationId: 'listAccounts',
  summary: 'List accounts by id',
  description: `At most ${LIMITS.accountsListed} at a time.`,
  query: { offset: integer(0), limit: integer(1) },
  success: { type: 'array', items: accountSchema },
  async handle({ deps, dates }, call) {
    const limit = Math.min(wholeNumber(call.query['limit']), LIMITS.accountsListed)
    const accounts = await deps.store.listAccounts(wholeNumber(call.query['offset']), limit)
    deps.events.action(actionBy(call, 'Users->getAccounts', 'Accounts listed'))
    return json(
      200,
      accounts.map((account) => accountBody(account, dates)),
    )
  },
}
