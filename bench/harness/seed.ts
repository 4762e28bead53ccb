/** Fills a store with a population, straight into the tables of its engine, which is much quicker than signing in. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { createPasswords } from '../../src/passwords/passwords.ts'
import type { Settings } from '../../src/settings/settings.ts'
import {
  APPLICATION,
  FIRST_GENERATION,
  PASSWORD,
  type Population,
  SESSIONS_PER_ACCOUNT,
  accountIdOf,
  emailOf,
  lastUsedAtMs,
  rotates,
  sessionIdOf,
} from './population.ts'

const DEVICE = {
  amr: 'pwd',
  address: '203.0.113.7',
  agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101',
}
/** Rows of one statement to PostgreSQL. */
const CHUNK = 10_000

/** Seeds the store of `settings`, whose schema must exist. `kid` is the key that signs refresh tokens. */
export async function seed(settings: Settings, population: Population, kid: string): Promise<void> {
  const passwordHash = await createPasswords(1).hash(PASSWORD)
  if (settings.databaseUrl !== null) await seedPostgres(settings.databaseUrl, population, kid, passwordHash)
  else seedSqlite(join(settings.dataDir, 'duktig.sqlite'), population, kid, passwordHash)
}

/** Like the default application, but with a parallel window of 0, so that every refresh rotates. */
const APPLICATION_ROW = `insert into applications (application_id, client_id, name, type, rotation,
  parallel_window_seconds, retry_window_seconds, idle_seconds, session_ttl_seconds, access_token_ttl_seconds)
  values (${APPLICATION}, 'bench', 'Benchmark', 'confidential', true, 0, 60, 0, 2592000, 900)`

const ACCOUNT_COLUMNS =
  'account_id, first_name, last_name, email, email_key, password_hash, phone, role_id, status, registered_at_ms'
const SESSION_COLUMNS = `session_id, account_id, application_id, application_epoch, rotation, generation, rotated_at_ms,
  handed_out_at_ms, kid, created_at_ms, expires_at_ms, last_used_at_ms`
const DEVICE_COLUMNS = 'session_id, auth_time_ms, amr, address, user_agent'

function seedSqlite(file: string, population: Population, kid: string, passwordHash: string): void {
  const { seededAtMs, expiresAtMs, sessions } = population
  const db = new DatabaseSync(file)
  // Safe here without a journal: nobody else has the file open, and a run that fails starts anew.
  db.exec('pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -262144')
  db.exec('begin')
  db.exec(APPLICATION_ROW)
  const account = db.prepare(
    `insert into accounts (${ACCOUNT_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, 4, 1, ?)`,
  )
  const session = db.prepare(
    `insert into sessions (${SESSION_COLUMNS}) values (?, ?, ?, 1, ?, ${FIRST_GENERATION}, ?, ?, ?, ?, ?, ?)`,
  )
  const device = db.prepare(`insert into session_devices (${DEVICE_COLUMNS}) values (?, ?, ?, ?, ?)`)
  for (let n = 0; n < sessions; n++) {
    const accountId = accountIdOf(n)
    const email = emailOf(accountId)
    if (n % SESSIONS_PER_ACCOUNT === 0)
      account.run(
        accountId,
        'Person',
        `Number ${accountId}`,
        email,
        email,
        passwordHash,
        '+37410000000',
        seededAtMs,
      )
    const id = sessionIdOf(population, n)
    const at = seededAtMs
    session.run(
      id,
      accountId,
      APPLICATION,
      rotates(n) ? 1 : 0,
      at,
      at,
      kid,
      at,
      expiresAtMs,
      lastUsedAtMs(population, n),
    )
    device.run(id, at, DEVICE.amr, DEVICE.address, DEVICE.agent)
  }
  db.exec('commit')
  db.exec('pragma journal_mode = wal')
  db.close()
}

async function seedPostgres(
  url: string,
  population: Population,
  kid: string,
  passwordHash: string,
): Promise<void> {
  const { seededAtMs, expiresAtMs, sessions } = population
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(APPLICATION_ROW)
    for (let first = 0; first < sessions; first += CHUNK) {
      const numbers = Array.from({ length: Math.min(CHUNK, sessions - first) }, (_, i) => first + i)
      const accounts = numbers.filter((n) => n % SESSIONS_PER_ACCOUNT === 0).map(accountIdOf)
      await client.query(
        `insert into accounts (${ACCOUNT_COLUMNS}) select id, 'Person', 'Number ' || id, 'person.' || id || '@example.com',
         'person.' || id || '@example.com', $2, '+37410000000', 4, 1, $3 from unnest($1::bigint[]) id`,
        [accounts, passwordHash, seededAtMs],
      )
      const ids = numbers.map((n) => sessionIdOf(population, n))
      await client.query(
        `insert into sessions (${SESSION_COLUMNS}) select id, account, ${APPLICATION}, 1, rotation, ${FIRST_GENERATION}, $4, $4, $5, $4, $6, used
         from unnest($1::text[], $2::bigint[], $3::boolean[], $7::bigint[]) as w(id, account, rotation, used)`,
        [
          ids,
          numbers.map(accountIdOf),
          numbers.map(rotates),
          seededAtMs,
          kid,
          expiresAtMs,
          numbers.map((n) => lastUsedAtMs(population, n)),
        ],
      )
      await client.query(
        `insert into session_devices (${DEVICE_COLUMNS}) select id, $2, $3, $4, $5 from unnest($1::text[]) id`,
        [ids, seededAtMs, DEVICE.amr, DEVICE.address, DEVICE.agent],
      )
    }
    await client.query('vacuum analyze')
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
}
