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

/** By which the server knows the connections of all processes of Duktig. */
export const APPLICATION_NAME = 'duktig'
/** A few connections keep a database busy; all instances together must stay below its `max_connections`. */
const POOL_SIZE = 6
/** A call that waits longer for a connection fails with `StoreUnavailable`. */
const CONNECT_MS = 1500
/** The server cancels a statement after this time, so that its outcome is known. */
const STATEMENT_MS = 1500
/** Above the server's `deadlock_timeout` (1 s), so that a deadlock is reported as one and not as a lock time-out. */
const LOCK_MS = 1200
/** The server ends a transaction whose client has been silent for this long: the client is gone. */
const IDLE_IN_TRANSACTION_MS = 5000
/** Added to a statement's time-out on our side: if nothing is heard even then, the server or the way to it is gone. */
const ANSWER_GRACE_MS = 1000
const IDLE_CONNECTION_MS = 60_000
const KEEP_ALIVE_MS = 10_000
/** One conflict may be chance; three in a row are not. */
const TRANSACTION_TRIES = 3
const RETRY_PAUSE_MS = 10
const CLOCK_READINGS_AT_START = 5
const CLOCK_INTERVAL_MS = 3000

/** Runs statements on one connection; each text is prepared once for each connection. */
export interface Sql {
  rows(text: string, ...values: readonly unknown[]): Promise<readonly Row[]>
  /** Returns how many rows the statement touched. */
  count(text: string, ...values: readonly unknown[]): Promise<number>
  /** Runs one or more statements without values; they are not prepared. */
  exec(text: string): Promise<void>
}

export class Connection implements Pick<Sql, 'rows'> {
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
      application_name: APPLICATION_NAME,
      max: options.poolSize ?? POOL_SIZE,
      connectionTimeoutMillis: options.connectMs ?? CONNECT_MS,
      idleTimeoutMillis: IDLE_CONNECTION_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      types: numbersAsNumbers(),
      // The pool awaits this promise before it lends the connection out, although the declared type returns nothing.
      onConnect: prepareConnection as unknown as (client: ClientBase) => void,
    })
    // An idle connection broke. The pool has already dropped it and opens another when one is needed.
    this.#pool.on('error', () => {})
    // A connection in use broke between two statements: the next statement on it reports the error.
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  /** Connects for the first time and sets the clock by the database's clock, now and every few seconds. */
  async start(): Promise<void> {
    await this.#readClock(CLOCK_READINGS_AT_START)
    this.#clockTimer = setInterval(() => {
      // Without an answer the clock keeps its offset; calls that need the database notice the failure themselves.
      this.#readClock(1).catch(() => {})
    }, CLOCK_INTERVAL_MS)
    this.#clockTimer.unref()
  }

  rows(text: string, ...values: readonly unknown[]): Promise<readonly Row[]> {
    return this.admit(() => this.onConnection((sql) => sql.rows(text, ...values)))
  }

  /**
   * Runs `work` in a transaction and resolves after its commit. Runs `work` again when the transaction was the victim
   * of a deadlock or failed to serialise. Single writes run in a transaction too, so that a connection that breaks
   * before the commit is sent undoes them. `slowMs` raises the time-outs, for the few transactions that may outlast a
   * request.
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
        // Lets the other transaction finish instead of colliding with it again.
        await delay(RETRY_PAUSE_MS * tries)
      }
    })
  }

  /** Refuses new calls once the store is closing, and lets `close` wait for those under way. */
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

  /** Runs `work` on a connection of its own, without a transaction. The caller must have been admitted by `admit`. */
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

/** A connection borrowed from the pool. */
class ClientSql implements Sql {
  /** Whether the connection must be closed instead of going back into the pool. */
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
    // PostgreSQL answers ROLLBACK when a statement of the transaction failed and `work` swallowed the error.
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
 * Runs a statement with a callback and a timer instead of the driver's promise and time-out. Through the objects that
 * those create, each statement keeps the rows of the next alive: once one is in the old generation, all that follow
 * live until the next full garbage collection.
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
 * What every connection needs whatever the server's settings are: time-outs, durable commits, and plans that use the
 * indexes even while statistics are missing or old, since the statements of requests are point reads or index ranges.
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
  // A standby would answer reads with stale data.
  if (rows[0]?.[0] === true) throw new Error('the server is a standby, not the primary')
}

const statementNames = new Map<string, string>()

/** The name under which a text is prepared, the same on all connections. All texts are constants of this folder. */
function nameOf(text: string): string {
  let name = statementNames.get(text)
  if (name === undefined) {
    name = `duktig_${statementNames.size + 1}`
    statementNames.set(text, name)
  }
  return name
}

/**
 * Reads 64-bit integers as numbers, in this pool only and not in all of `pg`: ours are ids, counters and milliseconds,
 * far below 2^53.
 */
function numbersAsNumbers(): TypeOverrides {
  const overrides = new TypeOverrides(types)
  overrides.setTypeParser(types.builtins.INT8, Number)
  return overrides
}
