import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createClock } from '../../src/operations/clock.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import type { Store } from '../../src/store/store.ts'
import { settle } from '../support/settle.ts'
import type { TestStore } from './engine.ts'
import { storeSuite } from './suite.ts'

async function open(): Promise<TestStore> {
  const folder = mkdtempSync(path.join(tmpdir(), 'duktig-sqlite-'))
  const file = path.join(folder, 'duktig.sqlite')
  const stores: Store[] = []
  const another = async () => {
    const { store } = await openSqlite(file, createClock(), { rotationLogFullAt: 3 })
    stores.push(store)
    return store
  }
  const store = await another()
  const beside = new DatabaseSync(file, { timeout: 5000 })
  return {
    store,
    another,
    async sql(text, ...params) {
      if (text.includes('sessions')) settle(beside)
      const statement = beside.prepare(text)
      statement.setReturnArrays(true)
      return statement.all(...params) as unknown as readonly (readonly unknown[])[]
    },
    async close() {
      for (const each of stores) await each.close()
      beside.close()
      rmSync(folder, { recursive: true })
    },
  }
}

storeSuite({ name: 'SQLite', open })
