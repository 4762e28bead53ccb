import { STATUS } from '../core/account.ts'
import { type Denial, NO_SESSION, deny } from '../core/denial.ts'
import type { Deps } from './deps.ts'

/**
 * The denial for the holder of a genuine token whose session has been removed since it expired. The account comes
 * first, as in `sessionDenial`, so that the answer does not change with the removal.
 */
export async function denialWithoutSession(
  { store }: Pick<Deps, 'store'>,
  accountId: number,
): Promise<Denial> {
  const account = await store.findAccount(accountId)
  if (account === null) return deny('account-unknown')
  return account.status === STATUS.active ? NO_SESSION : deny('account-inactive')
}
