/** Without an idle limit, SQLite writes dates of last use after the answer, many together. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Session } from '../../src/core/session.ts'
import { createClock } from '../../src/operations/clock.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import type { Store } from '../../src/store/store.ts'
import { makeAccount, makeApplication, refreshRequest, signIn } from './engine.ts'

/** More sessions than one transaction writes dates for. */
const MANY = 300

async function site(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'duktig-last-uses-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const open = async () => {
    const { store } = await openSqlite(path.join(folder, 'duktig.sqlite'), createClock())
    t.after(() => store.close())
    return store
  }
  return { store: await open(), open }
}

async function sessionsOf(store: Store, count: number): Promise<readonly Session[]> {
  const application = await makeApplication(store, { idleSeconds: 0 })
  const account = await makeAccount(store)
  return Promise.all(Array.from({ length: count }, () => signIn(store, account, application)))
}

/** Refreshes with a decision that sets the date of last use. Returns that date. */
async function use(store: Store, session: Session): Promise<number> {
  const touching = { decide: () => ({ kind: 'keep', touch: true }) as const }
  const { nowMs, view } = await store.refreshSession(refreshRequest(store, session, touching))
  assert.equal(view?.session.lastUsedAtMs, nowMs)
  return nowMs
}

async function lastUse(store: Store, session: Session): Promise<number | undefined> {
  return (await store.readSession(session.sessionId))?.session.lastUsedAtMs
}

test('what is noted when the store closes is there when it opens again', async (t) => {
  const { store, open } = await site(t)
  const [session] = (await sessionsOf(store, 1)) as [Session]
  const usedAtMs = await use(store, session)
  await store.close()
  assert.equal(await lastUse(await open(), session), usedAtMs)
})

test('it is written before long, and what another process ended meanwhile stays as it was', async (t) => {
  const { store, open } = await site(t)
  const sessions = await sessionsOf(store, MANY)
  const [ended, ...others] = sessions as [Session, ...Session[]]
  await use(store, ended)
  const other = await open()
  await other.endSession(ended.accountId, ended.sessionId, 'ended-by-user')
  const usedAtMs = new Map<Session, number>()
  for (const session of others) usedAtMs.set(session, await use(store, session))
  for (const [session, atMs] of usedAtMs) while ((await lastUse(other, session)) !== atMs) await store.check()
  await store.close()
  assert.equal(await lastUse(other, ended), ended.lastUsedAtMs)
})
