/**
 * Requests made from the API reference (good, nearly good, and with bytes turned over) to every route of a whole
 * service: none causes a fault, none hangs, and every answer is one that the reference describes.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Composed } from '../../src/compose.ts'
import type { Log } from '../../src/operations/log.ts'
import { type Api, type ApiOperation, answerMistakes, apiOf } from '../support/openapi.ts'
import { PASSWORD } from '../support/people.ts'
import { createRandom, freshSeed, givenSeed } from '../support/random.ts'
import { type RawAnswer, send } from '../support/raw-http.ts'
import { type TestService, UNLIMITED, openBeside, silentLog, startTestService } from '../support/service.ts'
import { makeCast } from './cast.ts'
import { type FuzzRequest, requestFor } from './requests.ts'
import { mutated } from './values.ts'
import { openWire, statusesOf } from './wire.ts'

const REQUESTS = Number(process.env['DUKTIG_TEST_REQUESTS'] ?? 46_000)
const RAW_REQUESTS = Math.round(REQUESTS / 11.5)
const CONNECTIONS = 32
/** A new cast is made after this many requests, because they end sessions and the like. */
const REQUESTS_PER_CAST = 1000
const MISTAKES_SHOWN = 10

const seed = givenSeed() ?? freshSeed()
const faults: unknown[] = []
/**
 * Every warning and error is a fault, such as a store that cannot answer: nothing hinders the service here. Unknown
 * keys and invalid tokens are no faults, because the fuzzer sends them.
 */
function note(...line: unknown[]): void {
  const [{ event }] = line as [{ readonly event?: string }]
  if (event !== 'unknown-key' && event !== 'invalid-token') faults.push(line)
}
const log: Log = { ...silentLog, warn: note, error: note }

/** In memory where possible: this test is not about durability. */
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'duktig-fuzz-'))

let service: TestService
let beside: Composed & { close(): Promise<void> }
let api: Api
let passwordHash: string

before(async () => {
  service = await startTestService(
    {
      ...UNLIMITED,
      DUKTIG_REGISTRATION_STATUS: '1',
      DUKTIG_DATA_DIR: folder,
      DUKTIG_SLOW_REQUEST_MS: '600000',
    },
    log,
  )
  beside = await openBeside(service)
  api = await apiOf(service.address)
  passwordHash = await beside.deps.passwords.hash(PASSWORD)
})
after(async () => {
  await beside.close()
  await service.stop()
  rmSync(folder, { recursive: true, force: true })
})

/**
 * If the path may not be the operation's, it may name another route of the method, or none: their answers are right
 * too.
 */
function mistakesOf({ operation, onRoute }: FuzzRequest, answer: RawAnswer): readonly string[] {
  const mistakes = answerMistakes(api, operation, answer)
  if (onRoute || mistakes.length === 0 || isNotFound(answer, operation))
    return mistakes.length > 0 && onRoute ? mistakes : []
  const sameMethod = api.operations.filter(({ method }) => method === operation.method)
  return sameMethod.some((other) => answerMistakes(api, other, answer).length === 0) ? [] : mistakes
}

function isNotFound({ status, text }: RawAnswer, { method }: ApiOperation): boolean {
  const whole = '{"status":"error","message":"Resource not found"}'
  return status === 404 && text === (method === 'HEAD' ? '' : whole)
}

class Tally {
  readonly #counts = new Map<string, number>()
  readonly mistakes: string[] = []
  count(operation: ApiOperation, status: number): void {
    const key = `${operation.operationId} ${status}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }
  of(operation: ApiOperation, status: string): number {
    return this.#counts.get(`${operation.operationId} ${status}`) ?? 0
  }
  byStatus(): string {
    const sums = new Map<string, number>()
    for (const [key, count] of this.#counts) {
      const status = key.slice(-3)
      sums.set(status, (sums.get(status) ?? 0) + count)
    }
    return [...sums]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([s, n]) => `${s}: ${n}`)
      .join(', ')
  }
}

test(`${REQUESTS} requests over all routes: every answer is in the reference`, async (t) => {
  t.diagnostic(`seed ${seed}; DUKTIG_TEST_SEED=${seed} repeats it`)
  const tally = new Tally()
  let next = 0
  let cast = await makeCast(beside.deps, passwordHash)
  const startedMs = performance.now()
  async function worker(): Promise<void> {
    const wire = openWire(service.address)
    while (next < REQUESTS && tally.mistakes.length < MISTAKES_SHOWN) {
      const number = next++
      if (number % REQUESTS_PER_CAST === 0) cast = await makeCast(beside.deps, passwordHash)
      const random = createRandom(seed + number)
      const request = requestFor(random.pick(api.operations), cast, random)
      const told = (what: string) =>
        tally.mistakes.push(`request ${number}: ${what}\n${request.bytes.toString('latin1').slice(0, 1500)}`)
      try {
        const answer = await wire.exchange(request.bytes)
        tally.count(request.operation, answer.status)
        const mistakes = mistakesOf(request, answer)
        if (mistakes.length > 0 || answer.status >= 500) {
          told(`${answer.status} ${answer.text.slice(0, 200)}: ${mistakes.join('; ')}`)
        }
      } catch (error) {
        told(String(error))
      }
    }
    wire.close()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  const seconds = (performance.now() - startedMs) / 1000
  t.diagnostic(`${seconds.toFixed(1)} s, ${Math.round(next / seconds)} a second; ${tally.byStatus()}`)
  assert.deepEqual({ mistakes: tally.mistakes, faults }, { mistakes: [], faults: [] })
  // A fuzzer that is always refused tests nothing behind the refusals.
  for (const operation of api.operations) {
    const success = Object.keys(operation.responses).filter((status) => status < '300')
    const successes = success.reduce((sum, status) => sum + tally.of(operation, status), 0)
    if (REQUESTS >= 20_000) assert.ok(successes > 0, `${operation.operationId} never succeeded`)
  }
})

test(`${RAW_REQUESTS} requests with bytes turned over: no fault, and no connection is held`, async (t) => {
  const cast = await makeCast(beside.deps, passwordHash)
  const mistakes: string[] = []
  const seen = new Map<number, number>()
  let next = 0
  async function worker(): Promise<void> {
    while (next < RAW_REQUESTS && mistakes.length < MISTAKES_SHOWN) {
      const number = next++
      const random = createRandom(seed - 1 - number)
      const bytes = mutated(requestFor(random.pick(api.operations), cast, random).bytes, random)
      const statuses = await statusesOf(service.address, bytes).catch((error: unknown) => [String(error)])
      for (const status of statuses) seen.set(Number(status), (seen.get(Number(status)) ?? 0) + 1)
      if (statuses.every((status) => Number(status) < 500)) continue
      mistakes.push(`raw request ${number}: ${statuses.join()}\n${bytes.toString('latin1').slice(0, 1500)}`)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  t.diagnostic(
    [...seen]
      .toSorted(([a], [b]) => a - b)
      .map(([s, n]) => `${s}: ${n}`)
      .join(', '),
  )
  assert.deepEqual({ mistakes, faults }, { mistakes: [], faults: [] })
  assert.equal((await send(service.address, 'GET', '/system/ping')).text, 'pong')
})
