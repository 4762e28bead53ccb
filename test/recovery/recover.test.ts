/** A database set back to a backup: what ended after it stays ended, and nobody is signed out by it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { RestoredStore, backup, journalFolder, openEngine, restore } from '../../src/open-store.ts'
import { readJournals } from '../../src/operations/end-journal.ts'
import { type Service, startService } from '../../src/serve.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { type Recovered, recover } from '../../src/usecases/recover.ts'
import { sendJson } from '../support/raw-http.ts'
import { freshDatabase } from '../support/postgres.ts'
import { AUTH_KEY, silentLog } from '../support/service.ts'

const PASSWORD = 'right1password'
const KEY = { 'X-Auth-Key': AUTH_KEY }

interface Site {
  readonly variables: Record<string, string>
  /** Runs SQL on the database beside the service. */
  sql(text: string): Promise<void>
  /** The number that a query answers with. */
  number(text: string): Promise<number>
  /** Copies the database; the service does not run. */
  save(): Promise<void>
  /** Puts the copy back. */
  setBack(): Promise<void>
  remove(): Promise<void>
}

const SITES: Readonly<Record<string, () => Promise<Site>>> = { SQLite: sqliteSite, PostgreSQL: postgresSite }

for (const [engine, open] of Object.entries(SITES)) {
  describe(`recovery on ${engine}`, () => {
    test('with the journals, ends stay, rotated clients go on, and ids are not given out twice', async () => {
      const site = await open()
      try {
        const before = await history(site)
        // Here the copy is only moments old; one of two minutes ago is known by its heartbeat.
        await site.sql('update instances set last_seen_at_ms = last_seen_at_ms - 120000')
        await assert.rejects(start(site), RestoredStore, 'a database that was set back must not be served')
        await site.sql('update instances set last_seen_at_ms = last_seen_at_ms + 120000')
        const recovered = await recoverWith(site, { allGiven: true, reviveEnded: false })
        assert.deepEqual([recovered.missing, recovered.endedAll], [[], false])
        await withService(site, async (service) => {
          const rotated = await refresh(service, before.rotated)
          assert.equal(rotated.status, 200, JSON.stringify(rotated.body))
          const signedOut = await refresh(service, before.signedOut)
          assert.equal(signedOut.status, 401)
          assert.equal(signedOut.headers['x-session-end-reason'], 'signed-out')
          assert.equal((await refresh(service, before.suspended)).status, 403)
          const changed = await refresh(service, before.changed)
          assert.equal(changed.headers['x-session-end-reason'], 'password-changed')
          assert.ok((await register(site, service, 'late@example.com')) > before.lastUserId)
        })
      } finally {
        await site.remove()
      }
    })

    test('without complete journals all sessions end', async () => {
      const site = await open()
      try {
        const before = await history(site)
        rmSync(journalFolder(readSettings(site.variables)), { recursive: true })
        const recovered = await recoverWith(site, { allGiven: true, reviveEnded: false })
        assert.equal(recovered.missing.length, 1)
        assert.equal(recovered.endedAll, true)
        await withService(site, async (service) => {
          const answer = await refresh(service, before.rotated)
          assert.equal(answer.status, 401)
          assert.equal(answer.headers['x-session-end-reason'], 'store-restored')
        })
      } finally {
        await site.remove()
      }
    })

    test('an operator may accept in so many words that ended sessions come back', async () => {
      const site = await open()
      try {
        const before = await history(site)
        rmSync(journalFolder(readSettings(site.variables)), { recursive: true })
        const recovered = await recoverWith(site, { allGiven: false, reviveEnded: true })
        assert.equal(recovered.endedAll, false)
        await withService(site, async (service) => {
          assert.equal((await refresh(service, before.rotated)).status, 200)
          assert.equal((await refresh(service, before.signedOut)).status, 200)
        })
      } finally {
        await site.remove()
      }
    })
  })
}

test('nobody vouching that the journals are complete, all sessions end, since an instance may have come later', async () => {
  const site = await postgresSite()
  try {
    await history(site)
    assert.equal((await recoverWith(site, { allGiven: false, reviveEnded: false })).endedAll, true)
  } finally {
    await site.remove()
  }
})

/** Sessions, a copy, ends and rotations after it, and the copy put back. The tokens as their clients hold them. */
async function history(site: Site) {
  const tokens: Record<string, string> = {}
  await withService(site, async (service) => {
    for (const name of ['rotated', 'signedOut', 'suspended', 'changed']) {
      await register(site, service, `${name}@example.com`)
      await site.sql('update accounts set status = 1')
      tokens[name] = await signIn(service, `${name}@example.com`)
    }
    await site.sql('update sessions set handed_out_at_ms = 1, rotated_at_ms = 1')
  })
  await site.save()
  let lastUserId = 0
  await withService(site, async (service) => {
    const rotated = await refresh(service, tokens['rotated'] as string)
    tokens['rotated'] = rotated.body['refresh_token'] as string
    assert.ok(tokens['rotated'] !== undefined)
    const out = await sendJson(service.address, 'DELETE', '/auth/token', {
      'Refresh-Token': tokens['signedOut'] as string,
    })
    assert.equal(out.status, 200)
    await administer(site, service)
    lastUserId = await register(site, service, 'lost@example.com')
  })
  await site.setBack()
  const { rotated = '', signedOut = '', suspended = '', changed = '' } = tokens
  return { rotated, signedOut, suspended, changed, lastUserId }
}

/** Suspends one account and gives another a new password, as a super admin does. */
async function administer(site: Site, service: Service): Promise<void> {
  await register(site, service, 'root@example.com')
  await site.sql("update accounts set status = 1, role_id = 1 where email = 'root@example.com'")
  const headers = { 'Access-Token': await signIn(service, 'root@example.com', 'access_token') }
  const accounts = await sendJson(service.address, 'GET', '/users?offset=0&limit=100', headers)
  const idOf = (email: string) =>
    (accounts.body as unknown as { email: string; userId: number }[]).find((a) => a.email === email)?.userId
  const patch = (email: string, change: object) =>
    sendJson(service.address, 'PATCH', `/users/${idOf(email)}`, headers, change)
  assert.equal((await patch('suspended@example.com', { status: 2 })).status, 200)
  assert.equal((await patch('changed@example.com', { password: 'another1password' })).status, 200)
}

async function register(site: Site, service: Service, email: string): Promise<number> {
  const body = { firstName: 'Ani', lastName: 'Sarkis', email, password: PASSWORD, phone: '000000' }
  assert.equal((await sendJson(service.address, 'POST', '/user', KEY, body)).status, 200)
  return site.number(`select account_id from accounts where email = '${email}'`)
}

async function signIn(service: Service, email: string, token = 'refresh_token'): Promise<string> {
  const answer = await sendJson(service.address, 'POST', '/auth/token', KEY, { email, password: PASSWORD })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body[token] as string
}

function refresh(service: Service, token: string) {
  return sendJson(service.address, 'POST', '/auth/refresh_token', { 'Refresh-Token': token })
}

function start(site: Site): Promise<Service> {
  return startService(readSettings(site.variables), silentLog)
}

async function withService(site: Site, work: (service: Service) => Promise<void>): Promise<void> {
  const service = await start(site)
  try {
    await work(service)
  } finally {
    await service.stop()
  }
}

async function recoverWith(
  site: Site,
  options: { readonly allGiven: boolean; readonly reviveEnded: boolean },
): Promise<Recovered> {
  const settings = readSettings(site.variables)
  const journals = await readJournals(journalFolder(settings))
  const { store } = await openEngine(settings)
  try {
    return await recover(store, { journals, ...options })
  } finally {
    await store.close()
  }
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

async function sqliteSite(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-recovery-'))
  const variables = variablesFor(folder)
  const settings = readSettings(variables)
  const copy = join(folder, 'backup.sqlite')
  const open = () => new DatabaseSync(join(settings.dataDir, 'duktig.sqlite'), { timeout: 5000 })
  return {
    variables,
    async sql(text) {
      using database = open()
      database.exec(text)
    },
    async number(text) {
      using database = open()
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

async function postgresSite(): Promise<Site> {
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
      await outside(`create database "${name}_copy" template "${name}"`)
    },
    async setBack() {
      await outside(`drop database "${name}" with (force)`)
      await outside(`alter database "${name}_copy" rename to "${name}"`)
    },
    async remove() {
      await database.drop()
      rmSync(folder, { recursive: true })
    },
  }
}
