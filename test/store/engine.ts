/** What the suite needs from an engine, and builders of test data for any engine. */
import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Account, NewAccount } from '../../src/core/account.ts'
import type { Application } from '../../src/core/application.ts'
import { decideRefresh } from '../../src/core/refresh.ts'
import type { Session } from '../../src/core/session.ts'
import type { NewApplication, OpenSession, RefreshRequest, Store } from '../../src/store/store.ts'

export interface TestEngine {
  readonly name: string
  /** Opens a new store, empty except for the schema. */
  open(): Promise<TestStore>
}

export interface TestStore {
  readonly store: Store
  /** A second instance over the same data, closed with the first. */
  another(): Promise<Store>
  /** Runs a statement beside the store; `?` stands for a parameter. */
  sql(text: string, ...params: readonly (string | number | null)[]): Promise<readonly (readonly unknown[])[]>
  /** Closes all instances and removes the data. */
  close(): Promise<void>
}

/** `DUKTIG_PROVE=20` repeats the races twenty times as often. */
export const PROVE = Math.max(1, Number(process.env.DUKTIG_PROVE ?? 1))

let made = 0

/** A name that is unique in this process. */
export function unique(prefix: string): string {
  made += 1
  return `${prefix}${made}`
}

export function newAccount(differs: Partial<NewAccount> = {}): NewAccount {
  return {
    firstName: 'Anna',
    lastName: 'Ödegård',
    email: `${unique('person')}@example.com`,
    phone: '+374 10 000000',
    comment: null,
    roleId: 4,
    status: 1,
    passwordHash: 'hash',
    ...differs,
  }
}

export async function makeAccount(store: Store, differs: Partial<NewAccount> = {}): Promise<Account> {
  const account = await store.createAccount(newAccount(differs))
  assert.notEqual(account, 'email-taken')
  return account as Account
}

export function newApplication(differs: Partial<NewApplication> = {}): NewApplication {
  return {
    clientId: unique('client-'),
    name: 'Application',
    type: 'confidential',
    trustedBackend: false,
    rotation: true,
    parallelWindowSeconds: 20,
    retryWindowSeconds: 60,
    idleSeconds: 0,
    sessionTtlSeconds: 86_400,
    accessTokenTtlSeconds: 900,
    requireKeyOnRefresh: false,
    ...differs,
  }
}

export async function makeApplication(
  store: Store,
  differs: Partial<NewApplication> = {},
): Promise<Application> {
  const application = await store.createApplication(newApplication(differs), null)
  assert.notEqual(application, 'client-id-taken')
  return application as Application
}

export function signInRequest(
  account: Account,
  application: Application,
  differs: Partial<OpenSession> = {},
): OpenSession {
  return {
    sessionId: unique('session-'),
    accountId: account.accountId,
    accountVersion: account.version,
    application,
    kid: 'kid-0',
    amr: ['pwd'],
    device: { address: '192.0.2.1', userAgent: 'Agent/1', deviceId: null },
    maxLiveSessions: 1000,
    ...differs,
  }
}

export async function signIn(
  store: Store,
  account: Account,
  application: Application,
  differs: Partial<OpenSession> = {},
): Promise<Session> {
  const outcome = await store.openSession(signInRequest(account, application, differs))
  assert.ok(outcome.kind === 'opened')
  return outcome.session
}

/** A new account with a session at a new application. */
export async function signedIn(store: Store, policy: Partial<NewApplication> = {}) {
  const application = await makeApplication(store, policy)
  const account = await makeAccount(store)
  return { application, account, session: await signIn(store, account, application) }
}

export interface Presented {
  readonly generation?: number
  readonly attemptKey?: string | null
}

/** A refresh with the session's own token, decided by the real rules, unless the arguments say otherwise. */
export function refreshRequest(
  store: Store,
  session: Session,
  {
    generation = session.generation,
    attemptKey = null,
    ...differs
  }: Presented & Partial<RefreshRequest> = {},
): RefreshRequest {
  const { sessionId, accountId } = session
  return {
    presented: { sessionId, accountId, generation, attemptKey },
    decide: decideRefresh,
    kid: 'kid-1',
    applicationId: null,
    deadlineMs: store.clock.nowMs() + 60_000,
    ...differs,
  }
}

/** Moves all times of a session into the past, as if `seconds` had gone by. */
export async function age(test: TestStore, sessionId: string, seconds: number): Promise<void> {
  const columns = ['rotated_at_ms', 'handed_out_at_ms', 'created_at_ms', 'expires_at_ms', 'last_used_at_ms']
  const changes = columns.map((column) => `${column} = ${column} - ${seconds * 1000}`)
  await test.sql(`update sessions set ${changes.join(', ')} where session_id = ?`, sessionId)
}

/** The session as it is in the database. */
export async function stored(store: Store, sessionId: string): Promise<Session> {
  const view = await store.readSession(sessionId)
  assert.ok(view !== null, 'the session exists')
  return view.session
}

export async function liveSessions(store: Store, accountId: number): Promise<readonly string[]> {
  const sessions = await store.listSessions(accountId, 10_000)
  return sessions.filter(({ endedAtMs }) => endedAtMs === null).map(({ sessionId }) => sessionId)
}

/** How often each value occurs. */
export function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

/** Waits, turn by turn, until `condition` holds. Throws if `work` fails before that, or after a minute. */
export async function until(condition: () => boolean, work: Promise<unknown>): Promise<void> {
  let hasFailed = false
  work.catch(() => {
    hasFailed = true
  })
  const endMs = performance.now() + 60_000
  while (!condition()) {
    if (hasFailed) await work
    assert.ok(performance.now() < endMs, 'what was waited for did not come')
    await nextTurn()
  }
}

/** Runs `work` many times at once, alternating between the two instances. */
export function together<T>(
  stores: readonly [Store, Store],
  times: number,
  work: (store: Store, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, i) => work(stores[i % 2 === 0 ? 0 : 1], i)))
}
