import type { Store } from '../store/store.ts'

/** Nobody can sign in yet. */
export async function hasNoAccount(store: Pick<Store, 'samplePasswordHashes'>): Promise<boolean> {
  return (await store.samplePasswordHashes(1)).length === 0
}
