/** Accounts, sessions and keys that the fuzzer's requests name; renewed at times, because the requests end them. */
import type { Deps } from '../../src/usecases/deps.ts'
import type { RoleId } from '../../src/core/account.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { PASSWORD } from '../support/people.ts'
import { AUTH_KEY } from '../support/service.ts'

export interface Cast {
  /**
   * The token of an active account of role 1. Nothing else here names the account or its session, so that it lasts for
   * a while.
   */
  readonly adminToken: string
  /** Tokens of all roles, some of ended sessions, some of accounts that are not active. */
  readonly otherTokens: readonly string[]
  readonly refreshTokens: readonly string[]
  readonly keys: readonly string[]
  readonly userIds: readonly number[]
  readonly sessionIds: readonly string[]
  /** The credentials of an account that can sign in. */
  readonly person: { readonly email: string; readonly password: string }
}

const ROLES: readonly RoleId[] = [1, 1, 1, 1, 2, 3, 4, 4, 4, 5]

/** `passwordHash` is the hash of `PASSWORD`, made once because hashing takes time. */
export async function makeCast(deps: Deps, passwordHash: string): Promise<Cast> {
  const { store } = deps
  const { application, key } = await makeApplication(deps, { retryWindowSeconds: 5 })
  const make = async (roleId: RoleId) => openSession(deps, await makeAccount(deps, { roleId }), application)
  const person = await makeAccount(deps, { passwordHash })
  const [admin, ended, suspended, unverified] = await Promise.all([make(1), make(1), make(1), make(4)])
  const others = [...(await Promise.all([...ROLES, ...ROLES].map(make))), ended, suspended, unverified]
  await store.endSession(ended.session.accountId, ended.session.sessionId, 'signed-out')
  await store.changeAccount(suspended.session.accountId, { status: 2 })
  await store.changeAccount(unverified.session.accountId, { status: 0 })
  return {
    adminToken: admin.accessToken,
    otherTokens: others.map(({ accessToken }) => accessToken),
    refreshTokens: others.map(({ refreshToken }) => refreshToken),
    keys: [AUTH_KEY, key],
    userIds: others.map(({ session }) => session.accountId),
    sessionIds: others.map(({ session }) => session.sessionId),
    person: { email: person.email, password: PASSWORD },
  }
}
