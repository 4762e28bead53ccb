/** What the rows share: how long to measure, and the seeded stores, each made when it is first needed. */
import { type RunningPostgres, startPostgres } from '../../test/support/postgres.ts'
import { Client } from 'pg'
import { type Running, type Site, prepareSite, startBaseline } from './duktig.ts'
import type { Timing } from './measure.ts'
import { temporaryFolder } from './processes.ts'

export interface Figure {
  readonly row: string
  readonly what: string
  readonly unit: string
  /** One value for each round. */
  readonly values: readonly number[]
  /** The aim for the median; none for figures that only explain others. */
  readonly aim?: { readonly least: number } | { readonly most: number }
}

export interface Row {
  readonly name: string
  readonly title: string
  run(context: Context): Promise<readonly Figure[]>
}

export class Context {
  readonly quick: boolean
  readonly timing: Timing
  /** Sessions of the store that most rows use. */
  readonly sessions: number
  readonly #sites = new Map<string, Promise<Site>>()
  #baseline: Promise<Omit<Running, 'metricsPort'>> | null = null
  #postgres: RunningPostgres | null = null

  constructor(quick: boolean) {
    this.quick = quick
    this.sessions = quick ? 100_000 : 1_000_000
    // The warm-up is long enough that each of a million sessions is asked for about once, as in a service that has run
    // for long.
    this.timing = quick
      ? { rounds: 3, seconds: 3, warmUpSeconds: 10 }
      : { rounds: 7, seconds: 6, warmUpSeconds: 45 }
  }

  say(text: string): void {
    process.stderr.write(`  ${text}\n`)
  }

  site(engine: 'sqlite' | 'postgres', sessions = this.sessions): Promise<Site> {
    const key = `${engine} ${sessions}`
    let site = this.#sites.get(key)
    if (site === undefined) {
      site = this.#prepare(engine, sessions)
      this.#sites.set(key, site)
    }
    return site
  }

  baseline(): Promise<Omit<Running, 'metricsPort'>> {
    this.#baseline ??= startBaseline()
    return this.#baseline
  }

  async close(): Promise<void> {
    await (await this.#baseline)?.stop()
    await this.#postgres?.stop()
  }

  async #prepare(engine: 'sqlite' | 'postgres', sessions: number): Promise<Site> {
    this.say(`seeding ${sessions.toLocaleString('en')} sessions (${engine})`)
    return prepareSite(temporaryFolder(), sessions, engine === 'postgres' ? await this.#database() : null)
  }

  /**
   * Creates a database for the benchmark. Unless DUKTIG_TEST_DATABASE_URL names a server, one is started with
   * PostgreSQL's defaults (`fsync` and `synchronous_commit` among them) except for memory and the distance of
   * checkpoints, which everybody raises. It runs on the core of the load, like this process.
   */
  async #database(): Promise<string> {
    const given = process.env['DUKTIG_TEST_DATABASE_URL'] ?? ''
    const settings = { shared_buffers: '512MB', max_wal_size: '4GB' }
    if (given === '') this.#postgres = await startPostgres({ settings })
    const url = new URL(this.#postgres?.url ?? given)
    const client = new Client({ connectionString: url.href })
    await client.connect()
    await client.query('drop database if exists duktig_bench with (force)')
    await client.query('create database duktig_bench')
    await client.end()
    url.pathname = '/duktig_bench'
    return url.href
  }
}
