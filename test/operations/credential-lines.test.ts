/**
 * Refused keys and tokens in a service's log: they explain why a misconfigured backend is refused, and expose forgers.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../src/operations/log.ts'
import { startService } from '../../src/serve.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { newOperator } from '../support/command.ts'
import { addAccount, signIn } from '../support/people.ts'
import { send } from '../support/raw-http.ts'
import { startTestService } from '../support/service.ts'

const KEYS = ['the-first-key-of-many', 'the-other-key-of-many'] as const

test('another key in the settings is told, and so is a request with the one before it', async (t) => {
  const operator = newOperator()
  t.after(() => operator.remove())
  const lines: string[] = []
  const log = createLog('info', { write: (text: string) => void lines.push(text) })
  const events = () => lines.map((line) => (JSON.parse(line) as { event?: string }).event)
  const start = (key: string) =>
    startService(readSettings({ ...operator.variables, DUKTIG_AUTH_KEY: key }), { log })
  for (const key of [KEYS[0], KEYS[0]]) await (await start(key)).stop()
  assert.deepEqual(new Set(events()), new Set(['stopping', 'stopped']))
  lines.length = 0
  const service = await start(KEYS[1])
  let stopped: Promise<void> | null = null
  const stop = () => (stopped ??= service.stop())
  t.after(stop)
  for (const key of ['', KEYS[1], KEYS[0], KEYS[0]]) {
    const { status } = await send(service.address, 'POST', '/auth/token', { 'X-Auth-Key': key })
    assert.equal(status === 401, key !== KEYS[1])
  }
  assert.deepEqual(events(), ['keys-replaced', 'unknown-key'])
  await stop()
  assert.deepEqual(events().slice(2), ['stopping', 'unknown-key', 'stopped'])
  for (const line of lines) for (const key of KEYS) assert.equal(line.includes(key), false)
})

test('tokens that are none are told, whatever they are sent for, and those that are only over are not', async (t) => {
  const lines: string[] = []
  const log = createLog('info', { write: (text: string) => void lines.push(text) })
  const service = await startTestService({}, log)
  let stopped: Promise<void> | null = null
  const stop = () => (stopped ??= service.stop())
  t.after(stop)
  const { email } = await addAccount(service)
  const { accessToken, refreshToken } = await signIn(service, email)
  assert.equal(
    (await send(service.address, 'DELETE', '/auth/token', { 'Refresh-Token': refreshToken })).status,
    200,
  )
  const ask = async (method: string, path: string, headers: Record<string, string>) =>
    assert.equal((await send(service.address, method, path, headers)).status, 401)
  lines.length = 0
  await ask('GET', '/user', { 'Access-Token': accessToken })
  await ask('POST', '/auth/refresh_token', { 'Refresh-Token': refreshToken })
  assert.deepEqual(lines, [])
  await ask('GET', '/user', { 'Access-Token': `${accessToken}x` })
  await ask('GET', '/auth/verify', { Authorization: 'Bearer a.b.c' })
  await ask('POST', '/auth/refresh_token', { 'Refresh-Token': accessToken })
  await ask('DELETE', '/auth/token', { 'Refresh-Token': `${refreshToken}x` })
  await stop()
  const told = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event === 'invalid-token')
  assert.deepEqual(
    told.map(({ level, requests, addresses }) => [level, requests, addresses]),
    [
      ['warn', 1, ['127.0.0.1']],
      ['warn', 3, ['127.0.0.1']],
    ],
  )
  const secrets = [accessToken, refreshToken]
  assert.ok(!secrets.some((secret) => lines.join('').includes(secret)))
})
