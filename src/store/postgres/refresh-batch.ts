/**
 * Refreshes many sessions with two statements: one reads the committed rows, the decisions are made here, and one
 * conditional update carries them out. Decisions that write are answered after the update's commit.
 */
import { type Clock, type RefreshOutcome, type RefreshRequest, StoreUnavailable } from '../store.ts'
import { StoreBusy } from '../store-busy.ts'
import { Batches } from './batches.ts'
import type { Connection, Sql } from './connection.ts'
import { type Chain, type RefreshJob, decideChain } from './decide-chain.ts'
import { asksForRetry } from './errors.ts'
import { readViews } from './read-views.ts'

/** Larger batches gain nothing more, and every request waits for its whole batch. */
const JOBS_PER_BATCH = 256
/** While one batch waits for its commit, the next ones read and decide. */
const BATCHES_AT_A_TIME = 3
/** A job that lost a race waits a little longer each time, so as not to ask constantly for a row that is locked. */
const PAUSE_MS = 2
const LONGEST_PAUSE_MS = 20
/** Far more than fit into the deadline of a request. */
const MOST_RACES = 500
/** How often the deadlines of waiting requests are checked. */
const DEADLINE_CHECK_MS = 100

/** The verb `refreshSession`; its guarantee is in `store.ts`. */
export function refreshing(connection: Connection): {
  refresh(request: RefreshRequest): Promise<RefreshOutcome>
  hasRoom(): boolean
} {
  const watch = watchDeadlines(connection.clock)
  const batches = new Batches<RefreshJob>({
    jobs: JOBS_PER_BATCH,
    running: BATCHES_AT_A_TIME,
    keyOf: (job) => job.request.presented.sessionId,
    run: async (batch) => {
      for (const job of await runBatch(connection, batch)) decideAgain(batches, job)
    },
    fail: (job, error) => job.reject(error),
  })
  const hasRoom = () => batches.hasRoom
  const refresh = (request: RefreshRequest) =>
    connection.admit(async () => {
      if (!hasRoom()) throw new StoreBusy()
      const { promise, resolve, reject } = Promise.withResolvers<RefreshOutcome>()
      const job: RefreshJob = { request, resolve, reject, lostRaces: 0, watchIndex: 0 }
      watch.add(job)
      batches.add(job)
      return promise.finally(() => watch.remove(job))
    })
  return { refresh, hasRoom }
}

function decideAgain(batches: Batches<RefreshJob>, job: RefreshJob): void {
  job.lostRaces += 1
  if (job.lostRaces > MOST_RACES)
    return job.reject(new StoreUnavailable('the session is held by somebody else'))
  const pauseMs = Math.min(PAUSE_MS * (job.lostRaces - 1), LONGEST_PAUSE_MS)
  if (pauseMs === 0) batches.add(job)
  else setTimeout(() => batches.add(job), pauseMs)
}

/** Answers all jobs that it can. Returns those that lost a race, to be decided again from a fresh read. */
function runBatch(connection: Connection, batch: readonly RefreshJob[]): Promise<readonly RefreshJob[]> {
  return connection.onConnection(async (sql) => {
    const bySession = Map.groupBy(batch, (job) => job.request.presented.sessionId)
    const views = await readViews(sql, [...bySession.keys()])
    const chains = [...bySession].map(([sessionId, jobs]) =>
      decideChain(jobs, views.get(sessionId) ?? null, connection.clock),
    )
    const writing = chains.filter(({ write }) => write !== null)
    for (const chain of chains) if (chain.write === null) answer(chain)
    if (writing.length === 0) return []
    const written = await writeAll(connection, sql, writing)
    for (const chain of writing) if (written.has(sessionIdOf(chain))) answer(chain)
    return writing.filter((chain) => !written.has(sessionIdOf(chain))).flatMap(({ jobs }) => jobs)
  })
}

/**
 * A write happens only if the row is still in the state that the decision was based on, and before the deadline by the
 * database's own clock. The columns that the condition leaves out change together with the generation; only the date of
 * last use may also change by itself. Rows are locked before they are changed, and one that another writer holds is
 * skipped as if the race for it were lost. So nobody waits for another's lock, no deadlock arises, and nothing is
 * written after a deadline that passed while waiting.
 */
const WRITE = `
  with held as materialized (
    select w.* from unnest($1::text[], $2::bigint[], $3::bigint[], $4::integer[], $5::float8[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::integer[], $12::bigint[], $13::bigint[], $14::text[])
      as w(session_id, from_generation, from_handed_out_at_ms, from_repeats, deadline_ms, generation,
        rotated_at_ms, handed_out_at_ms, kid, attempt_key, repeats, last_used_at_ms, ended_at_ms, end_reason)
      join sessions s on s.session_id = w.session_id
    where s.generation = w.from_generation and s.handed_out_at_ms = w.from_handed_out_at_ms
      and s.repeats = w.from_repeats and s.ended_at_ms is null
      and clock_timestamp() <= to_timestamp(w.deadline_ms / 1000)
    for no key update of s skip locked)
  update sessions s set generation = h.generation, rotated_at_ms = h.rotated_at_ms,
    handed_out_at_ms = h.handed_out_at_ms, kid = h.kid, attempt_key = h.attempt_key, repeats = h.repeats,
    last_used_at_ms = greatest(s.last_used_at_ms, h.last_used_at_ms), ended_at_ms = h.ended_at_ms,
    end_reason = h.end_reason
  from held h where s.session_id = h.session_id
  returning s.session_id`

/** Returns the ids of the sessions whose rows were written. */
async function writeAll(
  connection: Connection,
  sql: Sql,
  chains: readonly Chain[],
): Promise<ReadonlySet<string>> {
  const writes = chains.map(({ write }) => write as NonNullable<Chain['write']>)
  const numbers = (value: (write: (typeof writes)[number]) => number | null) => numberArray(writes.map(value))
  try {
    const rows = await sql.rows(
      WRITE,
      writes.map(({ before }) => before.sessionId),
      numbers(({ before }) => before.generation),
      numbers(({ before }) => before.handedOutAtMs),
      numbers(({ before }) => before.repeats),
      numbers(({ deadlineMs }) => connection.clock.inDatabaseMs(deadlineMs)),
      numbers(({ after }) => after.generation),
      numbers(({ after }) => after.rotatedAtMs),
      numbers(({ after }) => after.handedOutAtMs),
      writes.map(({ after }) => after.kid),
      writes.map(({ after }) => after.attemptKey),
      numbers(({ after }) => after.repeats),
      numbers(({ after }) => after.lastUsedAtMs),
      numbers(({ after }) => after.endedAtMs),
      writes.map(({ after }) => after.endReason),
    )
    return new Set(rows.map(([sessionId]) => sessionId as string))
  } catch (error) {
    if (error instanceof StoreUnavailable && asksForRetry(error.cause)) return new Set()
    throw error
  }
}

/** An array literal of PostgreSQL, built here because the driver would quote and escape every number. */
function numberArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? 'null').join(',')}}`
}

function answer(chain: Chain): void {
  for (const [job, outcome] of chain.answers) job.resolve(outcome)
}

function sessionIdOf(chain: Chain): string {
  return (chain.jobs[0] as RefreshJob).request.presented.sessionId
}

/**
 * Rejects requests whose deadline passes while the database is silent. The database itself checks the deadline of
 * writes that are under way for them.
 */
function watchDeadlines(clock: Clock): { add(job: RefreshJob): void; remove(job: RefreshJob): void } {
  // Not a set: each time a set grows it leaves its old table in the old generation, where it keeps what it held alive
  // until the next full garbage collection.
  const jobs: RefreshJob[] = []
  let timer: NodeJS.Timeout | undefined
  const check = () => {
    timer = undefined
    const nowMs = clock.nowMs()
    for (const job of jobs) {
      if (nowMs > job.request.deadlineMs)
        job.reject(new StoreUnavailable('the database did not answer in time'))
    }
    if (jobs.length > 0) timer = setTimeout(check, DEADLINE_CHECK_MS)
  }
  return {
    add(job) {
      job.watchIndex = jobs.push(job) - 1
      timer ??= setTimeout(check, DEADLINE_CHECK_MS)
    },
    /** The last job takes the place of the removed one. */
    remove(job) {
      const last = jobs.pop() as RefreshJob
      if (last === job) return
      jobs[job.watchIndex] = last
      last.watchIndex = job.watchIndex
    },
  }
}
