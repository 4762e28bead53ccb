import type { Account, NewAccount } from '../core/account.ts'
import { type Denial, deny } from '../core/denial.ts'
import type { Deps } from './deps.ts'
import type { Action } from './events.ts'
import { type Actor, mayNoLonger } from './may-no-longer.ts'

export interface AccountToCreate extends Omit<NewAccount, 'passwordHash'> {
  readonly password: string
}

/**
 * Creates an account with the role and the status that an administrator gives it. `by` is the actor.
 * Denials: `email-taken`, and those of `authenticate` or `forbidden` when `by` may no longer act. @throws {Overloaded}
 */
export async function createAccount(
  deps: Deps,
  by: Omit<Action, 'code' | 'message'> & Actor,
  { password, ...account }: AccountToCreate,
): Promise<Account | Denial> {
  const passwordHash = await deps.passwords.hash(password)
  const denial = await mayNoLonger(deps, by)
  if (denial !== null) return denial
  const created = await deps.store.createAccount({ ...account, passwordHash })
  if (created === 'email-taken') return deny('email-taken')
  deps.events.action({
    ...by,
    code: 'Users->registerAccount',
    message: `Account ${created.accountId} created`,
  })
  return created
}
