import { json } from '../answer.ts'
import { type DuktigRoute, actionBy } from './face.ts'
import { ownAccountSchema } from './schemas.ts'

/** `GET /user`. */
export const readOwnAccountRoute: DuktigRoute<'access'> = {
  method: 'GET',
  path: '/user',
  operationId: 'readOwnAccount',
  tag: 'Account',
  summary: 'Read your own account',
  credential: 'access',
  success: ownAccountSchema,
  handle({ deps, dates }, call) {
    const { account } = call.caller
    deps.events.action(actionBy(call, 'User->getAccount', 'Account read'))
    return json(200, {
      userId: account.accountId,
      firstName: account.firstName,
      lastName: account.lastName,
      email: account.email,
      phone: account.phone,
      pinCode: account.pinCode,
      dateRegistered: dates.format(account.registeredAtMs),
      dateLastUpdate: dates.format(account.updatedAtMs),
      dateLastLogin: dates.format(account.lastSignInAtMs),
    })
  },
}
