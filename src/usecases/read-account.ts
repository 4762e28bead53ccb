import type { Account } from '../core/account.ts'
import { type Denial, deny } from '../core/denial.ts'
import type { Caller } from './authenticate.ts'
import type { Deps } from './deps.ts'

/** The caller's own account. Denials: `target-unknown`. */
export async function readAccount(deps: Deps, caller: Caller, address: string): Promise<Account | Denial> {
  const { accountId } = caller.account
  const account = await deps.store.findAccount(accountId)
  if (account === null) return deny('target-unknown')
  const { sessionId } = caller.session
  deps.events.action({ accountId, code: 'User->getAccount', message: 'Account read', sessionId, address })
  return account
}
