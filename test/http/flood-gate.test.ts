/** What one address is refused is limited, except what it asks `GET /auth/verify`: a proxy asks it for all its users. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { LIMITS } from '../../src/settings/limits.ts'
import { STATUS } from '../../src/core/account.ts'
import { openWire } from '../fuzz/wire.ts'
import { addAccount, signIn } from '../support/people.ts'
import { send } from '../support/raw-http.ts'
import { type TestService, openBeside, startTestService } from '../support/service.ts'

const CONNECTIONS = 8

let service: TestService
let accessToken: string
let ofSuspended: string
before(async () => {
  service = await startTestService()
  accessToken = (await signIn(service, (await addAccount(service)).email)).accessToken
  const { accountId, email } = await addAccount(service)
  ofSuspended = (await signIn(service, email)).accessToken
  const { deps, close } = await openBeside(service)
  await deps.store.changeAccount(accountId, { status: STATUS.suspended })
  await close()
})
after(() => service.stop())

/** Sends one request `times` over several connections. Returns how often each status was the answer. */
async function repeat(head: string, times: number): Promise<Record<number, number>> {
  const request = Buffer.from(`${head}\r\nHost: x\r\n\r\n`)
  const statuses: Record<number, number> = {}
  const worker = async () => {
    const wire = openWire(service.address)
    for (let i = 0; i < times / CONNECTIONS; i++) {
      const { status } = await wire.exchange(request)
      statuses[status] = (statuses[status] ?? 0) + 1
    }
    wire.close()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  return statuses
}

async function verify(headers: Readonly<Record<string, string>>): Promise<readonly [number, string]> {
  const { status, text } = await send(service.address, 'GET', '/auth/verify', headers)
  return [status, text]
}

test('refusals of verify do not count: however many there are, all are 401, and the address may ask elsewhere', async () => {
  const times = 2 * LIMITS.floodCapacity
  assert.deepEqual(await repeat('GET /auth/verify HTTP/1.1', times), { 401: times })
  assert.equal((await send(service.address, 'GET', '/user')).status, 401)
})

test('an address past its bound elsewhere is told by verify what it asks, without a body', async () => {
  const statuses = await repeat('GET /user HTTP/1.1', 2 * LIMITS.floodCapacity)
  assert.ok((statuses[429] ?? 0) > 0, JSON.stringify(statuses))
  for (let i = 0; i < 20; i++) {
    assert.deepEqual(await verify({}), [401, ''])
    assert.deepEqual(await verify({ Authorization: 'Bearer a.b.c' }), [401, ''])
    assert.deepEqual(await verify({ 'Access-Token': ofSuspended }), [403, ''])
    assert.deepEqual(await verify({ 'Access-Token': accessToken }), [200, ''])
  }
})
