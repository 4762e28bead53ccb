/** An answer that was lost after the commit is given again, byte for byte. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDenial } from '../../src/core/denial.ts'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import { ENGINES, openSqliteEngine } from '../support/engines.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { freshSeed, givenSeed } from '../support/random.ts'
import { loseReplies } from './lost-replies.ts'

const DAY_MS = 86_400_000

for (const { name, open } of ENGINES) {
  for (const withKey of [true, false]) {
    const what = withKey ? 'with its attempt key' : 'without attempt key'
    test(`500 lost answers on ${name}: every retry ${what} gets the same successor`, async (t) => {
      const engine = await open()
      t.after(() => engine.close())
      const seed = givenSeed() ?? freshSeed()
      t.diagnostic(`seed ${seed}`)
      await loseReplies(engine, { withKey, count: 500, seed })
    })
  }
}

test('with its attempt key a retry gets the same successor 99 days later, a hundred times', async (t) => {
  const engine = await openSqliteEngine()
  t.after(() => engine.close())
  const [deps] = engine.deps
  const { application } = await makeApplication(deps)
  const { session, refreshToken } = await openSession(deps, await makeAccount(deps), application)
  const ask = async () => {
    const request = { refreshToken, attemptKey: 'key', application: null, address: '192.0.2.1' }
    const reply = await refreshSession(deps, request)
    return isDenial(reply) ? reply.reason : reply.refreshToken
  }
  await engine.pass(session.sessionId, DAY_MS)
  const successor = await ask()
  for (let day = 0; day < 100; day++) {
    assert.equal(await ask(), successor)
    await engine.pass(session.sessionId, DAY_MS)
  }
  assert.equal(await ask(), 'reuse', 'whoever loses more answers than that is no client with a bad line')
})
