import type { Account } from '../core/account.ts'
import type { Caller } from './authenticate.ts'
import type { Deps } from './deps.ts'

/** The caller's own account, as it was when he was let in. */
export function readAccount({ events }: Deps, { account, session }: Caller, address: string): Account {
  const { accountId } = account
  const { sessionId } = session
  events.action({ accountId, code: 'User->getAccount', message: 'Account read', sessionId, address })
  return account
}
