/** Replays the recorded exchanges of the contract, each against a store that holds exactly the recorded accounts. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { AccountStatus, RoleId } from '../../src/core/account.ts'
import { createDateFormat } from '../../src/core/dates.ts'
import { randomId } from '../../src/tokens/random-id.ts'
import { mintAccessToken } from '../../src/tokens/access-token.ts'
import { mintRefreshToken } from '../../src/tokens/refresh-token.ts'
import { send } from '../support/raw-http.ts'
import { AUTH_KEY, type TestService, openBeside, startTestService } from '../support/service.ts'

interface RecordedAccount {
  readonly handle: string
  readonly userId: number
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  readonly password: string
  readonly phone: string
  readonly comment: string | null
  readonly dateRegistered: string
  readonly dateLastUpdate: string | null
  readonly dateLastLogin: string | null
  readonly roleId: RoleId
  readonly status: AccountStatus
}

interface Row {
  readonly group: string
  readonly name: string
  readonly request: { method: string; path: string; headers: Record<string, string>; body: string | null }
  readonly expect: { status: number; body: unknown }
}

const file = new URL('../../contract/recorded.json', import.meta.url)
const recorded = JSON.parse(readFileSync(file, 'utf8')) as { accounts: RecordedAccount[]; rows: Row[] }
const dates = createDateFormat('UTC')
/** Each password is hashed only once, because the tests are about the contract, not about argon2. */
const hashes = new Map<string, string>()

for (const group of new Set(recorded.rows.map((row) => row.group))) {
  describe(`recorded: ${group}`, () => {
    let service: TestService
    before(async () => {
      service = await startTestService()
    })
    after(() => service.stop())
    for (const row of recorded.rows.filter((r) => r.group === group)) {
      test(row.name, () => replay(service, row))
    }
  })
}

async function replay(service: TestService, row: Row): Promise<void> {
  const tokens = await arrange(service)
  const fill = (text: string) =>
    text
      .replaceAll('{{authKey}}', AUTH_KEY)
      .replace(
        /\{\{(accessToken|refreshToken):(\w+)\}\}/g,
        (_, kind, handle) => tokens.get(`${kind}:${handle}`) ?? '',
      )
  const headers = Object.fromEntries(
    Object.entries(row.request.headers).map(([name, value]) => [name, fill(value)]),
  )
  const body = row.request.body === null ? null : fill(row.request.body)
  const answer = await send(service.address, row.request.method, row.request.path, headers, body)
  assert.equal(answer.status, row.expect.status, answer.text)
  const type = answer.headers['content-type'] ?? ''
  if (typeof row.expect.body === 'string') assert.equal(answer.text, row.expect.body)
  else {
    assert.match(type, /^application\/json\b/)
    assert.equal(withPlaceholders(answer.text, row.expect.body), JSON.stringify(row.expect.body))
  }
}

/** Replaces each value that fits a placeholder of the expectation by the placeholder, keeping the order of the keys. */
function withPlaceholders(text: string, expected: unknown): string {
  const shapes: Record<string, (value: unknown) => boolean> = {
    '{{accessToken}}': (value) => typeof value === 'string' && value.split('.').length === 3,
    '{{refreshToken}}': (value) => typeof value === 'string' && value.split('.').length === 3,
    '{{id}}': (value) => Number.isSafeInteger(value) && (value as number) > 10,
    '{{expiresAt}}': (value) => Number.isSafeInteger(value) && (value as number) > Date.now() / 1000,
  }
  const wanted = expected as Record<string, unknown>
  return JSON.stringify(JSON.parse(text), (key, value) => {
    const shape = shapes[String(wanted?.[key])]
    return shape !== undefined && shape(value) ? wanted[key] : value
  })
}

/** Sets up exactly the recorded accounts, and makes a token of each kind for every one of them, without a sign-in. */
async function arrange(service: TestService): Promise<Map<string, string>> {
  const opened = await openBeside(service)
  const { store, keys, names, passwords } = opened.deps
  await clear(service)
  for (const { password } of recorded.accounts) {
    if (!hashes.has(password)) hashes.set(password, await passwords.hash(password))
  }
  const imported = recorded.accounts.map((account) => ({
    accountId: account.userId,
    firstName: account.firstName,
    lastName: account.lastName,
    email: account.email,
    phone: account.phone,
    comment: account.comment,
    roleId: account.roleId,
    // Sessions can be opened only while the account is active.
    status: 1 as const,
    passwordHash: hashes.get(account.password) ?? '',
    registeredAtMs: dates.parse(account.dateRegistered),
    updatedAtMs: null,
    lastSignInAtMs: null,
  }))
  assert.equal((await store.importAccounts(imported)).kind, 'imported')
  const tokens = new Map<string, string>()
  const application = await store.findApplication(1)
  assert.ok(application)
  for (const { handle, userId } of recorded.accounts) {
    const device = { address: '127.0.0.1', userAgent: null, deviceId: null }
    const { kid } = keys.signer('refresh')
    const opening = {
      sessionId: randomId(),
      accountId: userId,
      accountVersion: 1,
      application,
      kid,
      amr: ['pwd'],
      device,
    }
    const outcome = await store.openSession({ ...opening, maxLiveSessions: 100 })
    assert.ok(outcome.kind === 'opened')
    const { session, account } = outcome
    const access = mintAccessToken(keys.signer('access'), names, session, account, 900, store.clock.nowMs())
    tokens.set(`accessToken:${handle}`, access.token)
    tokens.set(`refreshToken:${handle}`, mintRefreshToken(await keys.refreshKey(session.kid), names, session))
  }
  await setStatusesAndDates(service)
  await opened.close()
  return tokens
}

async function clear(service: TestService): Promise<void> {
  await withDatabase(service, (database) => {
    database.exec('delete from accounts; delete from sessions; delete from session_devices')
  })
}

async function setStatusesAndDates(service: TestService): Promise<void> {
  await withDatabase(service, (database) => {
    const update = database.prepare(
      'update accounts set status = ?, updated_at_ms = ?, last_sign_in_at_ms = ? where account_id = ?',
    )
    for (const { status, dateLastUpdate, dateLastLogin, userId } of recorded.accounts) {
      const parsed = (text: string | null) => (text === null ? null : dates.parse(text))
      update.run(status, parsed(dateLastUpdate), parsed(dateLastLogin), userId)
    }
  })
}

async function withDatabase(
  service: TestService,
  work: (database: import('node:sqlite').DatabaseSync) => void,
): Promise<void> {
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(`${service.dataDir}/duktig.sqlite`, { timeout: 5000 })
  try {
    work(database)
  } finally {
    database.close()
  }
}
