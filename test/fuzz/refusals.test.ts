/** What every route answers without doing its work: under maintenance, and past the flood bound of an address. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '../../src/settings/limits.ts'
import { type Api, type ApiOperation, answerMistakes, apiOf } from '../support/openapi.ts'
import { type RawAnswer, send } from '../support/raw-http.ts'
import { UNLIMITED, startTestService } from '../support/service.ts'
import { openWire } from './wire.ts'

const CONNECTIONS = 16
/**
 * Never refused, whatever other clients at the same address do: an orchestrator decides by the answers whether a
 * process lives.
 */
const PROBES = new Set(['ping', 'live', 'liveHead', 'ready', 'readyHead'])
/** What is not answered 429 past the bound. `verify` is asked by proxies, which would turn a 429 into a 500. */
const PAST_THE_BOUND: Readonly<Record<string, number>> = {
  ...Object.fromEntries([...PROBES].map((probe) => [probe, 200])),
  verify: 401,
}

function ask(base: string, { method, path }: ApiOperation): Promise<RawAnswer> {
  return send(base, method, path.replace('{userId}', '1').replace('{sessionId}', 'x'))
}

function assertInReference(api: Api, operation: ApiOperation, answer: RawAnswer): void {
  const what = `${operation.method} ${operation.path}: ${answer.status} ${answer.text}`
  assert.deepEqual(answerMistakes(api, operation, answer), [], what)
}

test('under maintenance every answer is in the reference', async () => {
  const open = await startTestService(UNLIMITED)
  const api = await apiOf(open.address)
  await open.stop()
  const closed = await startTestService({ ...UNLIMITED, DUKTIG_MAINTENANCE: 'on' })
  for (const operation of api.operations) {
    const answer = await ask(closed.address, operation)
    assertInReference(api, operation, answer)
    assert.equal(answer.status, PROBES.has(operation.operationId) ? 200 : 503, operation.operationId)
  }
  await closed.stop()
})

test('past the bound of an address every answer is in the reference, and says when to come again; probes and verify are answered', async () => {
  const service = await startTestService()
  const api = await apiOf(service.address)
  const keys = Buffer.from('GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n')
  /** Asks until the bound is reached; an address may ask once more every few milliseconds. */
  async function flood(): Promise<void> {
    const wire = openWire(service.address)
    for (let i = 0; i < 10 * LIMITS.floodCapacity; i++) {
      if ((await wire.exchange(keys)).status === 429) break
    }
    wire.close()
  }
  for (const operation of api.operations) {
    let answer: RawAnswer | null = null
    const status = PAST_THE_BOUND[operation.operationId] ?? 429
    for (let tries = 0; tries < 20 && answer?.status !== status; tries++) {
      await Promise.all(Array.from({ length: CONNECTIONS }, flood))
      answer = await ask(service.address, operation)
      assertInReference(api, operation, answer)
    }
    assert.equal(answer?.status, status, operation.operationId)
    assert.equal(operation.responses['429'] !== undefined, status === 429, operation.operationId)
    if (status === 429) assert.ok(Number(answer?.headers['retry-after']) > 0, operation.operationId)
  }
  await service.stop()
})
