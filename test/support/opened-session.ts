/** Makes accounts and sessions directly in the real store, which saves the time of hashing passwords. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Account, NewAccount } from '../../src/core/account.ts'
import type { Application } from '../../src/core/application.ts'
import type { Session } from '../../src/core/session.ts'
import type { NewApplication } from '../../src/store/store.ts'
import { mintAccessToken } from '../../src/tokens/access-token.ts'
import { randomId } from '../../src/tokens/random-id.ts'
import { mintRefreshToken } from '../../src/tokens/refresh-token.ts'
import { createApplication } from '../../src/usecases/applications.ts'
import type { Deps } from '../../src/usecases/deps.ts'

export interface OpenedSession {
  readonly session: Session
  readonly refreshToken: string
  readonly accessToken: string
}

/** Creates an account: an active client, unless `over` says otherwise. No password matches its hash. */
export async function makeAccount(deps: Deps, over: Partial<NewAccount> = {}): Promise<Account> {
  const account = await deps.store.createAccount({
    firstName: 'Ani',
    lastName: 'Sarkis',
    email: `${randomUUID()}@example.com`,
    phone: '37411223344',
    comment: null,
    roleId: 4,
    status: 1,
    passwordHash: 'nobody knows',
    ...over,
  })
  assert.ok(account !== 'email-taken')
  return account
}

/** Creates an application that rotates refresh tokens, with the default windows, unless `over` says otherwise. */
export async function makeApplication(
  deps: Deps,
  over: Partial<NewApplication> = {},
): Promise<{ readonly application: Application; readonly key: string }> {
  const created = await createApplication(deps, {
    clientId: randomUUID(),
    name: 'Application',
    type: 'confidential',
    trustedBackend: false,
    rotation: true,
    parallelWindowSeconds: 20,
    retryWindowSeconds: 60,
    idleSeconds: 0,
    sessionTtlSeconds: 315_360_000,
    accessTokenTtlSeconds: 86_400,
    requireKeyOnRefresh: false,
    ...over,
  })
  assert.ok(created !== 'client-id-taken')
  return created
}

/** Opens a session as a sign-in does, and makes both of its tokens. */
export async function openSession(
  deps: Deps,
  account: Account,
  application: Application,
): Promise<OpenedSession> {
  const { keys, names, store } = deps
  const outcome = await store.openSession({
    sessionId: randomId(),
    accountId: account.accountId,
    accountVersion: account.version,
    application,
    kid: keys.signer('refresh').kid,
    amr: ['pwd'],
    device: { address: '192.0.2.1', userAgent: null, deviceId: null },
    maxLiveSessions: 100,
  })
  assert.ok(outcome.kind === 'opened')
  const { session } = outcome
  const ttlSeconds = application.accessTokenTtlSeconds
  const now = session.createdAtMs
  const access = mintAccessToken(keys.signer('access'), names, session, outcome.account, ttlSeconds, now)
  const refreshToken = mintRefreshToken(await keys.refreshKey(session.kid), names, session)
  return { session, refreshToken, accessToken: access.token }
}
