/** What the tests of recovery do at a site: run its service, act as its clients, and recover it. */
import assert from 'node:assert/strict'
import { readJournals } from '../../src/operations/read-journals.ts'
import { RestoredStore, journalFolder, openStore } from '../../src/open-store.ts'
import { recoverStore } from '../../src/recover-store.ts'
import { type Service, startService } from '../../src/serve.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import type { JournalEntry } from '../../src/store/journal.ts'
import type { RecoverStoreRequest, RecoveredStore } from '../../src/usecases/recover.ts'
import { sendJson } from '../support/raw-http.ts'
import { AUTH_KEY, silentLog } from '../support/service.ts'
import type { Site } from './site.ts'

const PASSWORD = 'right1password'
const KEY = { 'X-Auth-Key': AUTH_KEY }

/** The options of an operator who has all journals. */
export const ALL = { endAll: false, reviveEnded: false, demandsAll: false }

export async function register(site: Site, service: Service, email: string): Promise<number> {
  const body = { firstName: 'Ani', lastName: 'Sarkis', email, password: PASSWORD, phone: '000000' }
  assert.equal((await sendJson(service.address, 'POST', '/user', KEY, body)).status, 200)
  return site.number(`select account_id from accounts where email = '${email}'`)
}

export async function signIn(service: Service, email: string, token = 'refresh_token'): Promise<string> {
  const answer = await sendJson(service.address, 'POST', '/auth/token', KEY, { email, password: PASSWORD })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body[token] as string
}

export function refresh(service: Service, token: string) {
  return sendJson(service.address, 'POST', '/auth/refresh_token', { 'Refresh-Token': token })
}

export function start(site: Site): Promise<Service> {
  return startService(readSettings(site.variables), { log: silentLog })
}

export async function withService<T>(site: Site, work: (service: Service) => Promise<T>): Promise<T> {
  const service = await start(site)
  try {
    return await work(service)
  } finally {
    await service.stop()
  }
}

/** Recovers the site with the journals in its data folder. */
export function recoverSite(
  site: Site,
  options: Pick<RecoverStoreRequest, 'endAll' | 'reviveEnded'> & { readonly demandsAll?: boolean },
): Promise<RecoveredStore> {
  const settings = readSettings(site.variables)
  return recoverStore(settings, { journalFolders: [], demandsAll: false, ...options })
}

/** Asserts that a start refuses the database as a restored one. */
export async function refusesToStart(site: Site, why: RegExp): Promise<void> {
  let service: Service
  try {
    service = await start(site)
  } catch (error) {
    assert.ok(error instanceof RestoredStore, String(error))
    assert.match(error.message, why)
    return
  }
  await service.stop()
  assert.fail('the service started')
}

export async function at(open: () => Promise<Site>, work: (site: Site) => Promise<void>): Promise<void> {
  const site = await open()
  try {
    await work(site)
  } finally {
    await site.remove()
  }
}

/** Registers somebody and signs them in. Returns the refresh token. */
export function signedIn(site: Site): Promise<string> {
  return withService(site, async (service) => {
    await register(site, service, 'ani@example.com')
    await site.sql('update accounts set status = 1')
    return signIn(service, 'ani@example.com')
  })
}

export function reasonOf(site: Site, token: string): Promise<string | undefined> {
  return withService(site, async (service) => {
    const { status, headers } = await refresh(service, token)
    assert.equal(status, 401)
    return headers['x-session-end-reason'] as string | undefined
  })
}

/** Opens the store as a command does. */
export async function withStore(
  site: Site,
  work: (store: Awaited<ReturnType<typeof openStore>>['store']) => Promise<unknown>,
): Promise<void> {
  const { store } = await openStore(readSettings(site.variables))
  try {
    await work(store)
  } finally {
    await store.close()
  }
}

/** The entries about this database in the journal of the data folder. */
export async function entriesOf(site: Site): Promise<readonly JournalEntry[]> {
  const database = String(await site.number('select applied_at_ms from migrations where id = 1'))
  const journals = await readJournals([journalFolder(readSettings(site.variables))], database)
  return [...journals.sessionEnds, ...journals.otherEntries]
}
