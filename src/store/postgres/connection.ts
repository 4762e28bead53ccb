/** The way to one PostgreSQL database: a bounded pool, prepared statements, transactions and the database's clock. */
import { type ClientBase, Pool, type PoolClient, type QueryArrayResult, TypeOverrides, types } from 'pg'
import { setTimeout as delay } from 'node:timers/promises'
import type { Row } from '../rows.ts'
import { StoreUnavailable } from '../store.ts'
import { type ClockReading, DatabaseClock } from './clock.ts'
import { asksForRetry, spoilsConnection, unavailable, unavailableIfSo } from './errors.ts'

export interface PostgresOptions {
  /** The most connections this instance holds. */
  readonly poolSize?: number
  /** How long a call waits for its turn when all connections are in use, and for a new connection. */
  readonly connectMs?: number
}

/** A few connections keep a database busy; all instances together must stay below its `max_connections`. */
const POOL_SIZE = 6
/** Who waits longer for a connection is told to come again. */
const CONNECT_MS = 1500
/** The server gives a statement up after this time, so that its end is known. */
const STATEMENT_MS = 1500
/** Above the server's `deadlock_timeout` (1 s), so that a deadlock is found as such and not as a slow lock. */
const LOCK_MS = 1200
/** A transaction that waits for us this long is one whose process is gone. */
const IDLE_IN_TRANSACTION_MS = 5000
/** We give an answer up later than the server does: then the server or the way to it is gone. */
const ANSWER_GRACE_MS = 1000
const IDLE_CONNECTION_MS = 60_000
const KEEP_ALIVE_MS = 10_000
/** The first time it may be a neighbour, the third time in a row it is not by chance. */
const TRANSACTION_TRIES = 3
const RETRY_PAUSE_MS = 10
const CLOCK_READINGS_AT_START = 5
const CLOCK_INTERVAL_MS = 3000

/** Runs statements on one connection; each text is prepared once for each connection. */
export interface Sql {
  rows(text: string, ...values: readonly unknown[]): Promise<readonly Row[]>
  /** How many rows a statement touched. */
  count(text: string, ...values: readonly unknown[]): Promise<number>
  /** Statements without values, several if need be; not prepared. */
  exec(text: string): Promise<void>
}

export class Connection implements Sql {
  readonly clock = new DatabaseClock()
  readonly #pool: Pool
  /** How many calls are under way; closing waits for them. */
  #calls = 0
  #whenIdle: () => void = () => {}
  #closing: Promise<void> | null = null
  #clockTimer: NodeJS.Timeout | undefined

  constructor(url: string, options: PostgresOptions) {
    this.#pool = new Pool({
      connectionString: url,
      application_name: 'duktig',
      max: options.poolSize ?? POOL_SIZE,
      connectionTimeoutMillis: options.connectMs ?? CONNECT_MS,
      idleTimeoutMillis: IDLE_CONNECTION_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      types: numbersAsNumbers(),
      // The pool waits for it before it lends the connection out, although its type does not say so.
      onConnect: prepareConnection as unknown as (client: ClientBase) => void,
    })
    // An idle connection broke: the pool has dropped it and makes a new one when one is needed.
    this.#pool.on('error', () => {})
    // One in use broke between two statements: the next statement on it says so.
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  /** Reaches the database for the first time and sets the clock by its clock, now and every few seconds. */
  async start(): Promise<void> {
    await this.#readClock(CLOCK_READINGS_AT_START)
    this.#clockTimer = setInterval(() => {
      // Without an answer the clock goes on as it is; who needs the database notices himself.
      this.#readClock(1).catch(() => {})
    }, CLOCK_INTERVAL_MS)
    this.#clockTimer.unref()
  }

  rows(text: string, ...values: readonly unknown[]): Promise<readonly Row[]> {
    return this.admit(() => this.onConnection((sql) => sql.rows(text, ...values)))
  }

  count(text: string, ...values: readonly unknown[]): Promise<number> {
    return this.admit(() => this.onConnection((sql) => sql.count(text, ...values)))
  }

  exec(text: string): Promise<void> {
    return this.admit(() => this.onConnection((sql) => sql.exec(text)))
  }

  /**
   * Runs `work` in a transaction and answers after its commit; runs it again when the database chose it as the victim
   * of a deadlock. Even single writes go this way: until the commit is sent, a broken connection undoes them.
   * `slowMs` is for the few that may take longer than a request lasts.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>, slowMs?: number): Promise<T> {
    return this.admit(async () => {
      for (let tries = 1; ; tries++) {
        try {
          return await this.onConnection((sql) => transact(sql, work, slowMs), slowMs)
        } catch (error) {
          const again = error instanceof StoreUnavailable && asksForRetry(error.cause)
          if (!again || tries === TRANSACTION_TRIES) throw error
        }
        // Lets the other one finish instead of meeting it again.
        await delay(RETRY_PAUSE_MS * tries)
      }
    })
  }

  /** Refuses new calls once the store is being closed, and lets closing wait for those under way. */
  admit<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing !== null) return Promise.reject(new StoreUnavailable('the store is closed'))
    const under = call()
    this.#calls += 1
    const over = () => {
      this.#calls -= 1
      if (this.#calls === 0) this.#whenIdle()
    }
    under.then(over, over)
    return under
  }

  /** Runs `work` on a connection of its own, outside a transaction, for calls that have been admitted. */
  async onConnection<T>(work: (sql: ClientSql) => Promise<T>, slowMs?: number): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw unavailable(error)
    })
    const sql = new ClientSql(client, slowMs ?? STATEMENT_MS)
    try {
      return await work(sql)
    } finally {
      client.release(sql.spoilt)
    }
  }

  /** Lets the calls under way finish, then closes. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearInterval(this.#clockTimer)
    if (this.#calls > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve
      })
    }
    await this.#pool.end()
  }

  async #readClock(times: number): Promise<void> {
    await this.admit(() =>
      this.onConnection(async (sql) => {
        const readings: ClockReading[] = []
        for (let i = 0; i < times; i++) {
          const sentMs = this.clock.monotonicMs()
          const [row] = await sql.rows('select (extract(epoch from clock_timestamp()) * 1000)::float8')
          readings.push({ sentMs, databaseMs: row?.[0] as number, receivedMs: this.clock.monotonicMs() })
        }
        this.clock.learn(readings)
      }),
    )
  }
}

/** One connection while it is ours. */
class ClientSql implements Sql {
  /** The connection must not go back into the pool. */
  spoilt = false
  readonly #client: PoolClient
  readonly #answerMs: number

  constructor(client: PoolClient, statementMs: number) {
    this.#client = client
    this.#answerMs = statementMs + ANSWER_GRACE_MS
  }

  async rows(text: string, ...values: unknown[]): Promise<readonly Row[]> {
    return (await this.#run({ name: nameOf(text), text, values })).rows
  }

  async count(text: string, ...values: unknown[]): Promise<number> {
    return (await this.#run({ name: nameOf(text), text, values })).rowCount ?? 0
  }

  async exec(text: string): Promise<void> {
    await this.#run({ text })
  }

  async commit(): Promise<void> {
    const { command } = await this.#run({ text: 'commit' })
    // So it answers after an error that somebody swallowed.
    if (command !== 'COMMIT') throw new Error('the transaction had failed and was rolled back')
  }

  async #run(statement: { name?: string; text: string; values?: unknown[] }): Promise<QueryArrayResult> {
    try {
      return await answerWithin(this.#answerMs, this.#client, statement)
    } catch (error) {
      if (spoilsConnection(error)) this.spoilt = true
      throw unavailableIfSo(error)
    }
  }
}

/**
 * Not by the driver's own promise and time-out: through what it makes for them each statement holds on to the rows of the
 * next. Once one is in the old generation, all that follow live until the next full garbage collection.
 */
function answerWithin(
  ms: number,
  client: ClientBase,
  statement: { readonly name?: string; readonly text: string; readonly values?: unknown[] },
): Promise<QueryArrayResult> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server does not answer')), ms)
    client.query({ ...statement, rowMode: 'array' as const }, (error: Error | null, result) => {
      clearTimeout(timer)
      if (error === null) resolve(result)
      else reject(error)
    })
  })
}

async function transact<T>(
  sql: ClientSql,
  work: (sql: Sql) => Promise<T>,
  slowMs: number | undefined,
): Promise<T> {
  await sql.exec('begin')
  try {
    if (slowMs !== undefined) {
      await sql.exec(`set local statement_timeout = ${slowMs}; set local lock_timeout = ${slowMs}`)
    }
    const result = await work(sql)
    await sql.commit()
    return result
  } catch (error) {
    // Giving the connection up undoes the transaction as well.
    if (!sql.spoilt) await sql.exec('rollback').catch(() => {})
    throw error
  }
}

/**
 * What every connection needs whatever the server is set to: bounds of time, durable commits, and plans that follow
 * the indexes even while statistics are missing or old, for all our statements are point reads or index ranges.
 */
const CONNECTION_SETTINGS = `
  select pg_is_in_recovery(),
    set_config('statement_timeout', '${STATEMENT_MS}', false),
    set_config('lock_timeout', '${LOCK_MS}', false),
    set_config('idle_in_transaction_session_timeout', '${IDLE_IN_TRANSACTION_MS}', false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('client_encoding', 'UTF8', false),
    set_config('plan_cache_mode', 'force_generic_plan', false),
    set_config('enable_seqscan', 'off', false),
    set_config('enable_hashjoin', 'off', false),
    set_config('enable_mergejoin', 'off', false),
    set_config('synchronous_commit',
      case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, false)`

async function prepareConnection(client: ClientBase): Promise<void> {
  const { rows } = await answerWithin(CONNECT_MS, client, { text: CONNECTION_SETTINGS })
  // A standby would answer reads with what was true a while ago.
  if (rows[0]?.[0] === true) throw new Error('the server is a standby, not the primary')
}

const statementNames = new Map<string, string>()

/** The name a text is prepared under, the same on all connections. All texts are constants of this folder. */
function nameOf(text: string): string {
  let name = statementNames.get(text)
  if (name === undefined) {
    name = `duktig_${statementNames.size + 1}`
    statementNames.set(text, name)
  }
  return name
}

/** For this pool only, not for all of `pg`: our 64-bit numbers are ids, counters and milliseconds, far below 2^53. */
function numbersAsNumbers(): TypeOverrides {
  const overrides = new TypeOverrides(types)
  overrides.setTypeParser(types.builtins.INT8, Number)
  return overrides
}
