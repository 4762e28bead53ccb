import { isDenial } from '../../../core/denial.ts'
import { createAccount } from '../../../usecases/create-account.ts'
import { json } from '../../answer.ts'
import { ALL_FIELDS, accountOf } from '../account-body.ts'
import { denialAnswer } from '../denials.ts'
import { type DuktigRoute, actionBy } from '../face.ts'
import { object } from '../schemas.ts'
import { administration } from './common.ts'

const MESSAGE = 'Account created Successfully!'

/** `POST /users`. */
export const createAccountRoute: DuktigRoute<'access'> = {
  ...administration,
  method: 'POST',
  path: '/users',
  operationId: 'createAccount',
  summary: 'Create an account',
  body: { fields: ALL_FIELDS, keys: 'exact' },
  success: object({ status: { const: 'OK' }, message: { const: MESSAGE }, id: { type: 'integer' } }),
  async handle({ deps }, call) {
    const by = { ...actionBy(call, 'Users->registerAccount', MESSAGE), roles: administration.roles }
    const account = await createAccount(deps, by, accountOf(call.body))
    if (isDenial(account)) return denialAnswer(account)
    return json(200, { status: 'OK', message: MESSAGE, id: account.accountId })
  },
}
