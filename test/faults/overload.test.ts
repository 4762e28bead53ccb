/**
 * More than the service can do: sign-ins at ten times the capacity for hashing, refreshes at 1.2 times the capacity.
 * The excess is told to retry later, the rest is served, and afterwards the service is back to normal. Durations and
 * rates are asserted in the long form only.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sendJson } from '../support/raw-http.ts'
import { AUTH_KEY } from '../support/service.ts'
import { faultVariables } from './fault-variables.ts'
import { type Holder, PASSWORD, populate } from './population.ts'
import { startReal } from './real-service.ts'
import type { LoadPlan, LoadResult } from './refresh-load.ts'

const SECONDS = Number(process.env['DUKTIG_PROVE_OVERLOAD_SECONDS'] ?? 2)
const isLong = process.env['DUKTIG_PROVE_OVERLOAD_SECONDS'] !== undefined
const TIMES = 10
/** Concurrent sign-ins that measure the capacity: enough to keep the processor busy, and fewer than may wait. */
const BUSY = 16
const REFRESH_TIMES = 1.2
/**
 * More than may wait for the store, so that it has to refuse. A thousand suffice to keep up the rate while refusals are
 * quick; two thousand ask for more at once than the event loop takes from the system at a time (docs/decisions/0013).
 */
const CONNECTIONS = isLong ? [1000, 2000] : [800]
/** In the long form, so many that each rests for longer than its parallel window and every refresh rotates. */
const SESSIONS = isLong ? 100_000 : 800

interface Answered {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly tookMs: number
}

test(`sign-ins at ${TIMES} times the capacity for ${SECONDS} s`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-overload-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const variables = faultVariables(folder)
  const [holder, other] = await populate(variables, 2)
  assert.ok(holder && other)
  const service = await startReal(variables)
  t.after(() => service.kill())

  // Hashing has a lower priority than the refreshes and this process, so the capacity is what is left beside them.
  const over = new AbortController()
  const refreshes = refreshAgainAndAgain(service.address, other, over.signal)
  const capacity = await capacityOf(service.address, holder)
  const answers = await flood(service.address, holder, capacity * TIMES)
  over.abort()
  const refreshed = await refreshes
  const refused = answers.filter(({ status }) => status !== 200)
  const slowestMs = percentile(
    refused.map(({ tookMs }) => tookMs),
    0.99,
  )
  const goodput = (answers.length - refused.length) / SECONDS
  const figures = { capacity, goodput, refused: refused.length, p99OfRefusalsMs: slowestMs, refreshed }
  t.diagnostic(JSON.stringify({ ...figures, memoryMiB: memoryMiB(service.process.pid) }))

  assert.ok(refused.length > 0, 'nothing was refused, so nothing was too much')
  for (const { status, retryAfter } of refused) assert.deepEqual([status, retryAfter], [503, '1'])
  assert.ok(refreshed > 0)
  assert.equal((await signIn(service.address, holder)).status, 200)
  if (!isLong) return
  assert.ok(goodput >= capacity * 0.8, 'the excess cost too much of the capacity')
  assert.ok(slowestMs < 100, 'refusals took too long')
  assert.ok(memoryMiB(service.process.pid) < 512)
})

for (const connections of CONNECTIONS) {
  test(`refreshes at ${REFRESH_TIMES} times the capacity for ${SECONDS} s, ${connections} connections`, (t) =>
    refreshesBeyondCapacity(t, connections))
}

async function refreshesBeyondCapacity(t: TestContext, connections: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-overload-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const variables = faultVariables(folder)
  const holders = await populate(variables, SESSIONS)
  const service = await startReal(variables)
  t.after(() => service.kill())

  const tokens = holders.map(({ refreshToken }) => refreshToken)
  const port = Number(new URL(service.address).port)
  const { capacity, overload, afterwards, capacityAgain } = await loadFrom(folder, {
    port,
    tokens,
    connections,
    times: REFRESH_TIMES,
    seconds: SECONDS,
  })
  const peakMiB = memoryMiB(service.process.pid, 'VmHWM')
  t.diagnostic(JSON.stringify({ capacity, overload, afterwards, capacityAgain, peakMiB }))

  for (const { statuses, unanswered, withoutRetryAfter } of [capacity, overload, afterwards, capacityAgain]) {
    const { 200: _, 429: __, 503: ___, ...others } = statuses
    assert.deepEqual(
      { others, unanswered, withoutRetryAfter },
      { others: {}, unanswered: 0, withoutRetryAfter: 0 },
    )
  }
  assert.ok((overload.statuses['200'] ?? 0) > 0)
  assert.deepEqual(Object.keys(afterwards.statuses), ['200'])
  if (!isLong) return
  // Some refusals are normal: a stall of the disk may leave more requests for one turn than it takes in.
  const { 200: served = 0, 503: refused = 0 } = capacity.statuses
  assert.ok(refused < served / 100, 'the capacity was not measured, but an overload')
  assert.ok((overload.statuses['503'] ?? 0) > 0, 'nothing was refused, so nothing was too much')
  assert.ok(overload.p99OfRefusalsMs < 100, 'refusals took too long')
  assert.ok(overload.perSecond >= capacity.perSecond * 0.8, 'the excess cost too much of the capacity')
  // These requests became due in the three seconds after the overload.
  assert.ok(afterwards.p99Ms < 100, 'it did not become normal again')
  assert.ok(peakMiB < 512)
}

/** Runs `refresh-load.ts` in a process of its own; its result. */
async function loadFrom(folder: string, plan: LoadPlan): Promise<LoadResult> {
  const script = fileURLToPath(new URL('./refresh-load.ts', import.meta.url))
  const file = join(folder, 'plan.json')
  writeFileSync(file, JSON.stringify(plan))
  const { stdout } = await promisify(execFile)(process.execPath, [script, file])
  return JSON.parse(stdout) as LoadResult
}

/** Successful sign-ins a second, with `BUSY` of them under way. */
async function capacityOf(address: string, holder: Holder): Promise<number> {
  const startedMs = performance.now()
  let count = 0
  await Promise.all(
    Array.from({ length: BUSY }, async () => {
      for (; performance.now() - startedMs < SECONDS * 1000; count++)
        assert.equal((await signIn(address, holder)).status, 200)
    }),
  )
  return (count * 1000) / (performance.now() - startedMs)
}

/** Sends `perSecond` sign-ins a second, each at its time, whether or not earlier ones have been answered. */
async function flood(address: string, holder: Holder, perSecond: number): Promise<readonly Answered[]> {
  const startedMs = performance.now()
  const answers: Promise<Answered>[] = []
  while (performance.now() - startedMs < SECONDS * 1000) {
    const due = ((performance.now() - startedMs) * perSecond) / 1000
    while (answers.length < due) answers.push(signIn(address, holder))
    await wait(5)
  }
  return Promise.all(answers)
}

async function signIn(address: string, { email }: Holder): Promise<Answered> {
  const startedMs = performance.now()
  // `fetch` keeps connections open: opening one for each request would take a core of its own.
  const answer = await fetch(`${address}/auth/token`, {
    method: 'POST',
    headers: { 'X-Auth-Key': AUTH_KEY, 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password: PASSWORD }),
  })
  await answer.arrayBuffer()
  const retryAfter = answer.headers.get('retry-after') ?? undefined
  return { status: answer.status, retryAfter, tookMs: performance.now() - startedMs }
}

/** Refreshes until `over` is aborted; returns the number of refreshes, all answered 200. */
async function refreshAgainAndAgain(address: string, holder: Holder, over: AbortSignal): Promise<number> {
  let token = holder.refreshToken
  let count = 0
  for (; !over.aborted; count++) {
    const headers = { 'Refresh-Token': token, 'Idempotency-Key': randomUUID() }
    const { status, body } = await sendJson(address, 'POST', '/auth/refresh_token', headers)
    assert.equal(status, 200)
    token = (body['refresh_token'] as string | undefined) ?? token
  }
  return count
}

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0
}

/** Memory of a process; NaN where there is no /proc. */
function memoryMiB(pid: number | undefined, which: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  try {
    const [, kib] = new RegExp(`${which}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Math.round(Number(kib) / 1024)
  } catch {
    return Number.NaN
  }
}
