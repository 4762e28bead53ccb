/** `duktig keys`: which keys there are, and that looking at them adds none. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { type Operator, newOperator } from '../support/command.ts'

const OTHER = { DUKTIG_ACCESS_TOKEN_ALG: 'ES256' }

let operator: Operator
beforeEach(() => {
  operator = newOperator()
})
afterEach(() => operator.remove())

/** Purpose, algorithm and state of each key. */
async function keys(variables = {}): Promise<readonly string[]> {
  const { code, out, err } = await operator.run(['keys', 'list'], { variables })
  assert.deepEqual([code, err], [0, ''])
  const [, ...lines] = out.trimEnd().split('\n')
  return lines.map((line) => line.split(/\s+/).slice(1, 4).join(' ')).sort()
}

const FIRST = ['access HS256 signs', 'device HS256 signs', 'refresh HS256 signs']

test('a shell with another algorithm adds no key, and sees none that signs for it', async () => {
  await operator.startOnce()
  assert.deepEqual(await keys(), FIRST)
  assert.deepEqual(await keys(OTHER), ['access HS256 published', ...FIRST.slice(1)])
  const { code } = await operator.run(['keys', 'export'], { variables: OTHER })
  assert.equal(code, 0)
  assert.deepEqual(await keys(), FIRST)
})

test('a key that is rotated in before a change of algorithm signs from the start with it on', async () => {
  await operator.startOnce()
  const { code, err } = await operator.run(['keys', 'rotate'], { variables: OTHER })
  assert.equal(code, 0, err)
  assert.deepEqual(await keys(), ['access ES256 published', ...FIRST])
  await operator.startOnce(OTHER)
  assert.deepEqual(await keys(OTHER), ['access ES256 signs', 'access HS256 verifies', ...FIRST.slice(1)])
})

test('a key that follows one is published first', async () => {
  await operator.startOnce()
  assert.equal((await operator.run(['keys', 'rotate'])).code, 0)
  assert.deepEqual(await keys(), ['access HS256 published', ...FIRST])
  // A second rotation before the first new key signs: that key still waits for its time.
  assert.equal((await operator.run(['keys', 'rotate'])).code, 0)
  assert.deepEqual(await keys(), ['access HS256 published', 'access HS256 published', ...FIRST])
})
