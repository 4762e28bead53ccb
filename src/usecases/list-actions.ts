import { LIMITS } from '../settings/limits.ts'
import type { StoredAction } from '../store/action-store.ts'
import type { Deps } from './deps.ts'

export interface ActionQuery {
  /** An account, `GUEST` or `SYSTEM`. */
  readonly accountId: number
  readonly offset: number
  readonly limit: number
  /** Seconds since 1970; both bounds are inclusive. */
  readonly fromSeconds: number
  readonly toSeconds: number
}

/** Recorded actions, newest first, including everything that this instance recorded before the call. */
export async function listActions(deps: Deps, query: ActionQuery): Promise<readonly StoredAction[]> {
  const { accountId, offset, fromSeconds, toSeconds } = query
  const limit = Math.min(query.limit, LIMITS.actionsListed)
  await deps.events.flush()
  return deps.store.listActions(accountId, offset, limit, fromSeconds * 1000, toSeconds * 1000 + 999)
}
