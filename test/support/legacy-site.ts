/** A store of either engine with the use cases on it, and with accounts imported from the original. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { type Composed, compose } from '../../src/compose.ts'
import type { Account } from '../../src/core/account.ts'
import { ensureDefaultApplication } from '../../src/default-application.ts'
import { createClock } from '../../src/operations/clock.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { openPostgres } from '../../src/store/postgres/open.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import type { ImportedAccount, Store } from '../../src/store/store.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { LEGACY_VARIABLES } from './legacy.ts'
import { freshDatabase } from './postgres.ts'
import { silentLog } from './service.ts'

export const ENGINES = ['SQLite', 'PostgreSQL'] as const

export interface LegacySite {
  /** Two instances over the same data. */
  readonly deps: Deps
  readonly other: Deps
  /** An account as the import makes it, with the id and the address of the original. */
  takeOver(differs?: Partial<ImportedAccount>): Promise<Account>
  /** Removes the row of a session, as the clean-up does after the session's end. */
  removeRow(sessionId: string): Promise<void>
  close(): Promise<void>
}

export async function openLegacySite(
  engine: (typeof ENGINES)[number],
  variables: Readonly<Record<string, string>> = {},
): Promise<LegacySite> {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-legacy-'))
  const file = join(folder, 'duktig.sqlite')
  const database = engine === 'PostgreSQL' ? await freshDatabase() : null
  const openStore = async (): Promise<Store> => {
    const opened =
      database === null ? await openSqlite(file, createClock()) : await openPostgres(database.url)
    return opened.store
  }
  const settings = readSettings({
    DUKTIG_DATA_DIR: folder,
    DUKTIG_AUTH_KEY: 'test-application-key-0001',
    ...LEGACY_VARIABLES,
    ...variables,
  })
  const composed: Composed[] = []
  for (let i = 0; i < 2; i++) {
    const store = await openStore()
    await ensureDefaultApplication(settings, store)
    composed.push(await compose(settings, store, silentLog))
  }
  const [first, second] = composed
  assert.ok(first !== undefined && second !== undefined)
  let taken = 1000
  return {
    deps: first.deps,
    other: second.deps,
    async takeOver(differs = {}) {
      // Leaves ids in between for accounts that are registered.
      taken += 10
      const account = importedAccount({ accountId: taken, email: `Person${taken}@example.com`, ...differs })
      const outcome = await first.deps.store.importAccounts([account])
      assert.deepEqual(outcome, { kind: 'imported', count: 1 })
      return (await first.deps.store.findAccount(account.accountId ?? 0)) as Account
    },
    removeRow: (sessionId) =>
      database === null ? removeFromSqlite(file, sessionId) : removeFromPostgres(database.url, sessionId),
    async close() {
      for (const { recorder, deps } of composed) {
        await recorder.stop()
        await deps.store.close()
      }
      await database?.drop()
      rmSync(folder, { recursive: true })
    },
  }
}

async function removeFromSqlite(file: string, sessionId: string): Promise<void> {
  const beside = new DatabaseSync(file, { timeout: 5000 })
  beside.prepare('delete from sessions where session_id = ?').run(sessionId)
  beside.close()
}

async function removeFromPostgres(url: string, sessionId: string): Promise<void> {
  const beside = new Client({ connectionString: url })
  await beside.connect()
  await beside.query('delete from sessions where session_id = $1', [sessionId])
  await beside.end()
}

export function importedAccount(differs: Partial<ImportedAccount>): ImportedAccount {
  return {
    accountId: 1,
    firstName: 'Ani',
    lastName: 'Sarkis',
    email: 'ani@example.com',
    phone: '+374 10 000000',
    comment: null,
    roleId: 4,
    status: 1,
    passwordHash: 'hash',
    registeredAtMs: Date.UTC(2019, 6, 21),
    updatedAtMs: null,
    lastSignInAtMs: Date.UTC(2019, 10, 15),
    takesLegacyTokens: true,
    ...differs,
  }
}
