/** Every bit of a token counts, and an expired token is told from a forged one. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Composed } from '../../src/compose.ts'
import { mintAccessToken, readAccessToken } from '../../src/tokens/access-token.ts'
import { readRefreshToken } from '../../src/tokens/refresh-token.ts'
import { claimsOf } from '../support/keys.ts'
import { type Tokens, addAccount, readOwn, refresh, signIn } from '../support/people.ts'
import { send } from '../support/raw-http.ts'
import { type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'
import { aSession, anAccount } from '../support/sessions.ts'

let service: TestService
let beside: Composed & { close(): Promise<void> }
let tokens: Tokens

before(async () => {
  service = await startTestService(UNLIMITED)
  beside = await openBeside(service)
  tokens = await signIn(service, (await addAccount(service)).email)
})
after(async () => {
  await beside.close()
  await service.stop()
})

function* withOneBitFlipped(token: string): Generator<string> {
  for (let bit = 0; bit < token.length * 8; bit++) {
    const at = bit >> 3
    const flipped = String.fromCharCode(token.charCodeAt(at) ^ (1 << (bit & 7)))
    yield token.slice(0, at) + flipped + token.slice(at + 1)
  }
}

/** Text that arrives as it was sent: without control characters, and without a space at either end. */
const SENDABLE = /^[\x21-\x7e\x80-\xff][\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff]$/

test('a refresh token with any bit flipped is refused, and its session lives on', async () => {
  const { keys, names } = beside.deps
  const flipped = [...withOneBitFlipped(tokens.refreshToken)]
  const accepted = flipped.filter(
    (token) => readRefreshToken(token, keys.verifiers('refresh'), names) !== null,
  )
  assert.deepEqual(accepted, [])
  // Bits of the header, the claims and the signature alike, spread over the whole token.
  const sent = flipped.filter((token, i) => i % 5 === 0 && SENDABLE.test(token))
  assert.ok(sent.length > 500)
  for (const token of sent) {
    const { status, text } = await send(service.address, 'POST', '/auth/refresh_token', {
      'Refresh-Token': token,
    })
    assert.equal(status, 401, token)
    assert.equal(text, '{"status":"error","message":"Invalid token"}')
  }
  const { status } = await refresh(service, tokens.refreshToken)
  assert.equal(status, 200)
})

test('an access token with any bit flipped is refused, and its session lives on', async () => {
  const { keys, names } = beside.deps
  for (const token of withOneBitFlipped(tokens.accessToken)) {
    assert.equal(readAccessToken(token, keys.verifiers('access'), names), null)
  }
  assert.equal((await readOwn(service, tokens.accessToken)).status, 200)
})

test('an access token past its time is told so, before that it is good', async () => {
  const { keys, names, store } = beside.deps
  const { sid, sub, exp } = claimsOf(tokens.accessToken)
  const account = anAccount({ accountId: Number(sub) })
  const nowMs = store.clock.nowMs()
  const expiresAtMs = nowMs + 86_400_000
  const session = aSession({ sessionId: String(sid), accountId: Number(sub), expiresAtMs })
  const minted = (atMs: number) =>
    mintAccessToken(keys.signer('access'), names, session, account, 900, atMs).token
  assert.equal((await readOwn(service, minted(nowMs - 890_000))).status, 200)
  const { status, body } = await readOwn(service, minted(nowMs - 900_000))
  assert.deepEqual([status, body], [401, { status: 'error', message: 'Access-Token Expired' }])
  assert.equal(exp, tokens.expiresIn)
})

test('expires_in is the absolute end of the access token', async () => {
  const { status, body } = await refresh(service, tokens.refreshToken)
  assert.equal(status, 200)
  assert.equal(body['expires_in'], claimsOf(String(body['access_token']))['exp'])
})
