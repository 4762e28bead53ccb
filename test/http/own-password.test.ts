/** The account's own password, sent along unchanged, is accepted even if the settings ask more of a new password. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { PRESENT_PASSWORD_BUCKET } from '../../src/core/guessing.ts'
import { addAccount, refresh, signIn } from '../support/people.ts'
import { sendJson } from '../support/raw-http.ts'
import { openBeside, startTestService } from '../support/service.ts'

/** A common password, and shorter than `LONGER` requires. */
const OLD = 'password1'
const LONGER = { DUKTIG_PASSWORD_MIN_LENGTH: '12' }
const REFUSED = 'Required not weak Password Strength between 12 - 256 chars'

/** Makes an account whose password could not be set today, like one imported from elsewhere. */
async function taken(t: TestContext) {
  const service = await startTestService(LONGER)
  t.after(() => service.stop())
  const { accountId, email } = await addAccount(service)
  const { deps, close } = await openBeside(service)
  t.after(close)
  await deps.store.changeAccount(accountId, { passwordHash: await bcryptHash(OLD, { cost: 4 }) })
  const tokens = await signIn(service, email, OLD)
  const change = async (method: 'PUT' | 'PATCH', body: object) => {
    const headers = { 'Access-Token': tokens.accessToken }
    const answer = await sendJson(service.address, method, '/user', headers, body)
    return [answer.status, answer.body] as const
  }
  return { service, deps, accountId, email, tokens, change }
}

test('PUT and PATCH with it change the rest, and end no session', async (t) => {
  const { service, deps, accountId, email, tokens, change } = await taken(t)
  const names = { firstName: 'Ani', lastName: 'Sarkis' }
  const [status] = await change('PUT', { ...names, password: OLD, phone: '37400000001' })
  assert.equal(status, 200)
  assert.equal((await deps.store.findAccount(accountId))?.phone, '37400000001')
  assert.equal((await change('PATCH', { password: OLD, phone: '37400000002' }))[0], 200)
  assert.equal((await refresh(service, tokens.refreshToken)).status, 200)
  await signIn(service, email, OLD)
})

test('another one of its kind is refused', async (t) => {
  const { service, email, change } = await taken(t)
  const body = { firstName: 'Ani', lastName: 'Sarkis', phone: '37400000001' }
  assert.deepEqual(await change('PUT', { ...body, password: 'password2' }), [422, { password: [REFUSED] }])
  assert.equal((await change('PATCH', { password: 'Tiny-1' }))[0], 422)
  await signIn(service, email, OLD)
})

test('beside another mistake nobody learns whether it is the present one', async (t) => {
  const { change } = await taken(t)
  const body = { firstName: 'Ani', lastName: 'S', phone: '37400000001' }
  const mistakes = { lastName: ['Required string min 2 max 20'], password: [REFUSED] }
  for (const password of [OLD, 'password2'])
    assert.deepEqual(await change('PUT', { ...body, password }), [422, mistakes])
})

test('whoever guesses by it is told to come again, also with the right one', async (t) => {
  const { change } = await taken(t)
  for (let i = 0; i < PRESENT_PASSWORD_BUCKET.capacity; i++)
    assert.equal((await change('PATCH', { password: `password${i + 2}` }))[0], 422)
  assert.equal((await change('PATCH', { password: OLD }))[0], 429)
})
