import type { Store } from '../store/store.ts'

/** Whether there is no account yet, so that nobody can sign in. */
export async function hasNoAccount(store: Pick<Store, 'greatestAccountId'>): Promise<boolean> {
  return (await store.greatestAccountId()) === 0
}
