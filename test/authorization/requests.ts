/** For each route, a request that succeeds if its sender is admitted, so that a missing check shows in the store. */
import type { Account } from '../../src/core/account.ts'
import { PASSWORD } from '../support/people.ts'
import type { OpenedSession } from '../support/opened-session.ts'
import type { ApiOperation } from '../support/openapi.ts'

/** The caller, and the account that the request is about. Their sessions must live on unless the caller is admitted. */
export interface Scene {
  readonly caller: Account
  readonly callerSpare: OpenedSession
  readonly victim: Account
  readonly victimSession: OpenedSession
}

const names = { firstName: 'Anna', lastName: 'Petrosyan', phone: '37499887766' }
const whole = { ...names, password: 'Another-Horse-2' }
const administered = { ...whole, comment: 'changed', roleId: 2, status: 1 }
let registered = 0
const newEmail = () => `matrix-${++registered}@example.com`

const BODIES: Readonly<Record<string, (scene: Scene) => object>> = {
  signIn: ({ victim }) => ({ email: victim.email, password: PASSWORD }),
  signInByOldPath: ({ victim }) => ({ email: victim.email, password: PASSWORD }),
  registerAccount: () => ({ ...whole, email: newEmail() }),
  replaceOwnAccount: () => whole,
  patchOwnAccount: () => names,
  createAccount: () => ({ ...administered, email: newEmail() }),
  replaceAccount: () => ({ ...administered, email: newEmail() }),
  patchAccount: () => ({ status: 2 }),
}

const QUERIES: Readonly<Record<string, string>> = {
  listAccounts: '?offset=0&limit=10',
  listActions: '?offset=0&limit=10&dateFrom=0&dateTo=4102444800',
}

/** What an admitted caller gets; 200 if nothing is listed. No password matches the hashes of the accounts here. */
export const ADMITTED: Readonly<Record<string, readonly [statuses: readonly number[], message?: string]>> = {
  signIn: [[401], 'Incorrect credentials'],
  signInByOldPath: [[401], 'Incorrect credentials'],
  userActionStats: [[200, 204]],
  appLogStats: [[200, 204]],
}

export function requestOf(
  operation: ApiOperation,
  scene: Scene,
): { readonly path: string; readonly body: object | null } {
  const { operationId } = operation
  const administration = operation.path.startsWith('/users')
  const session = administration ? scene.victimSession : scene.callerSpare
  const path = operation.path
    .replace('{userId}', String(scene.victim.accountId))
    .replace('{sessionId}', session.session.sessionId)
  const body = BODIES[operationId]?.(scene) ?? null
  if ((body === null) !== (operation.body === null)) throw new Error(`what body does ${operationId} take?`)
  return { path: path + (QUERIES[operationId] ?? ''), body }
}
