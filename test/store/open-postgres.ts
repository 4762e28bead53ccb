import { Client, types } from 'pg'
import { openPostgres } from '../../src/store/postgres/open.ts'
import type { Store } from '../../src/store/store.ts'
import { freshDatabase } from '../support/postgres.ts'
import type { TestStore } from './engine.ts'

/** Tests connect many times at once, on machines that do other work as well. */
const BUSY_MACHINE_MS = 20_000

export interface TestPostgres extends TestStore {
  readonly url: string
}

/** Opens a store on a new database. */
export async function openTestPostgres(): Promise<TestPostgres> {
  const database = await freshDatabase()
  const stores: Store[] = []
  const another = async () => {
    const { store } = await openPostgres(database.url, { connectMs: BUSY_MACHINE_MS })
    stores.push(store)
    return store
  }
  const store = await another()
  const beside = new Client({ connectionString: database.url })
  beside.setTypeParser(types.builtins.INT8, Number)
  await beside.connect()
  return {
    url: database.url,
    store,
    another,
    async sql(text, ...params) {
      let place = 0
      const numbered = text.replaceAll('?', () => `$${++place}`)
      const { rows } = await beside.query({ text: numbered, values: [...params], rowMode: 'array' })
      return rows as readonly (readonly unknown[])[]
    },
    async close() {
      for (const each of stores) await each.close()
      await beside.end()
      await database.drop()
    },
  }
}
