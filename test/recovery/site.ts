/** A data folder and a database for a service, on either engine. The database can be saved and set back. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { backup, restore } from '../../src/open-store.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { freshDatabase } from '../support/postgres.ts'
import { AUTH_KEY } from '../support/service.ts'
import { settle } from '../support/settle.ts'

export interface Site {
  readonly variables: Record<string, string>
  /** Runs SQL on the database beside the service. */
  sql(text: string): Promise<void>
  /** The number that a query answers with. */
  number(text: string): Promise<number>
  /** Copies the database. With PostgreSQL, the service must not run. */
  save(): Promise<void>
  /** Puts the copy back; may be called more than once. */
  setBack(): Promise<void>
  remove(): Promise<void>
}

export const SITES: Readonly<Record<string, () => Promise<Site>>> = {
  SQLite: sqliteSite,
  PostgreSQL: postgresSite,
}

function variablesFor(folder: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    DUKTIG_PORT: '0',
    DUKTIG_METRICS_PORT: '0',
    DUKTIG_DATA_DIR: join(folder, 'data'),
    DUKTIG_AUTH_KEY: AUTH_KEY,
    DUKTIG_ISSUER: 'http://duktig.test',
    DUKTIG_REFRESH_ROTATION: 'on',
    DUKTIG_RATE_LIMITS: 'off',
    ...more,
  }
}

export async function sqliteSite(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-recovery-'))
  const variables = variablesFor(folder)
  const settings = readSettings(variables)
  const copy = join(folder, 'backup.sqlite')
  const open = () => new DatabaseSync(join(settings.dataDir, 'duktig.sqlite'), { timeout: 5000 })
  return {
    variables,
    async sql(text) {
      using database = open()
      settle(database)
      database.exec(text)
    },
    async number(text) {
      using database = open()
      settle(database)
      return Object.values(database.prepare(text).get() as object)[0] as number
    },
    save: () => backup(settings, copy),
    async setBack() {
      const aside = await restore(settings, copy)
      assert.ok(typeof aside === 'string' && aside.includes('before-restore'))
    },
    remove: async () => rmSync(folder, { recursive: true }),
  }
}

export async function postgresSite(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-recovery-'))
  const database = await freshDatabase()
  const name = new URL(database.url).pathname.slice(1)
  const on = async (url: string, text: string) => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query({ text, rowMode: 'array' })).rows as readonly (readonly unknown[])[]
    } finally {
      await client.end()
    }
  }
  const maintenance = new URL(database.url)
  maintenance.pathname = '/postgres'
  const outside = (text: string) => on(maintenance.href, text)
  return {
    variables: variablesFor(folder, { DUKTIG_DATABASE_URL: database.url }),
    async sql(text) {
      await on(database.url, text)
    },
    number: async (text) => Number((await on(database.url, text))[0]?.[0]),
    async save() {
      await outside(`drop database if exists "${name}_copy"`)
      await outside(`create database "${name}_copy" template "${name}"`)
    },
    async setBack() {
      await outside(`drop database "${name}" with (force)`)
      await outside(`create database "${name}" template "${name}_copy"`)
    },
    async remove() {
      await database.drop()
      await outside(`drop database if exists "${name}_copy"`)
      rmSync(folder, { recursive: true })
    },
  }
}
