/** The tokens of this face: their exact bytes (contract, section 5), and that other libraries can verify them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { importJWK, jwtVerify } from 'jose'
import { mintAccessToken, readAccessToken } from '../../src/tokens/access-token.ts'
import { mintRefreshToken, readRefreshToken } from '../../src/tokens/refresh-token.ts'
import type { SigningKey } from '../../src/tokens/signing-key.ts'
import { ALGORITHMS, NAMES, aKey, claimsOf, segment } from '../support/keys.ts'
import { T0, aSession, anAccount } from '../support/sessions.ts'

const session = aSession()
const account = anAccount()
const now = T0 / 1000

const mint = (key: SigningKey, ttlSeconds = 900, nowMs = T0) =>
  mintAccessToken(key, NAMES, session, account, ttlSeconds, nowMs)

/** Verifies as a resource server does: with the public key, or with the shared secret if there is no public key. */
async function verifiedByJose(key: SigningKey, token: string) {
  const jwk = key.publicJwk()
  const secret = jwk === null ? key.sharedSecret() : await importJWK(jwk, key.algorithm)
  assert.ok(secret)
  const { issuer, audience } = NAMES
  const options = { issuer, audience, algorithms: [key.algorithm], currentDate: new Date(T0) }
  return jwtVerify(token, secret, options)
}

for (const algorithm of ALGORITHMS) {
  describe(`an access token signed with ${algorithm}`, () => {
    const key = aKey('access', algorithm)
    const { token, expiresAtSeconds } = mint(key)

    test('is read by us', () => {
      const dates = { notBeforeSeconds: now, expiresAtSeconds: now + 900 }
      const claims = { accountId: 7, sessionId: 'session-1', ...dates }
      assert.deepEqual(readAccessToken(token, [key], NAMES), claims)
      assert.equal(expiresAtSeconds, now + 900)
    })

    test('is refused when the last letter of its signature is one of another script, right after the genuine one', () => {
      assert.ok(readAccessToken(token, [key], NAMES))
      const letter = String.fromCharCode(token.charCodeAt(token.length - 1) + 0x100)
      assert.equal(readAccessToken(token.slice(0, -1) + letter, [key], NAMES), null)
    })

    test('is verified by jose', async () => {
      const { payload, protectedHeader } = await verifiedByJose(key, token)
      assert.equal(payload.sub, '7')
      assert.equal(payload['sid'], 'session-1')
      assert.equal(protectedHeader.kid, key.kid)
    })

    test('has its header in the order of the contract', () => {
      assert.equal(segment(token, 0), `{"typ":"JWT","cty":"JWT","alg":"${algorithm}","kid":"${key.kid}"}`)
    })

    test('has its claims in the order of the contract', () => {
      const { jti } = claimsOf(token)
      assert.equal(
        segment(token, 1),
        JSON.stringify({
          iss: NAMES.issuer,
          aud: NAMES.audience,
          sub: '7',
          jti,
          nbf: now,
          iat: now,
          exp: now + 900,
          account: { userId: 7, firstName: 'Ani', lastName: 'Sarkis', email: 'ani@example.com', roleId: 4 },
          sid: 'session-1',
        }),
      )
    })

    test('is refused by jose and by us when a bit of its signature is another', async () => {
      const at = token.lastIndexOf('.') + 5
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
      assert.equal(readAccessToken(changed, [key], NAMES), null)
      await assert.rejects(verifiedByJose(key, changed))
    })

    test('is refused by another key of the same algorithm', () => {
      assert.equal(readAccessToken(token, [aKey('access', algorithm)], NAMES), null)
    })

    test('gives its private key to nobody', () => {
      const jwk = key.publicJwk()
      if (algorithm === 'HS256') assert.equal(jwk, null)
      else {
        for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(jwk?.[part], undefined)
        assert.equal(key.sharedSecret(), null)
      }
    })
  })
}

test('no two access tokens are the same, though everything about them is', () => {
  const key = aKey('access', 'HS256')
  const tokens = Array.from({ length: 1000 }, () => mint(key).token)
  assert.equal(new Set(tokens.map((token) => claimsOf(token)['jti'])).size, 1000)
})

test('an access token never outlives its session', () => {
  const key = aKey('access', 'HS256')
  const end = session.expiresAtMs
  const { token, expiresAtSeconds } = mint(key, 900, end - 10_000)
  assert.equal(expiresAtSeconds, end / 1000)
  assert.equal(claimsOf(token)['exp'], end / 1000)
})

test('names with quotes, backslashes and letters of all scripts arrive as they are', async () => {
  const key = aKey('access', 'HS256')
  const person = anAccount({ firstName: 'A"\\\n<Ž>', lastName: 'Սարգսյան 😀' })
  const { token } = mintAccessToken(key, NAMES, session, person, 900, T0)
  const { payload } = await verifiedByJose(key, token)
  const { firstName, lastName } = payload['account'] as { firstName: string; lastName: string }
  assert.deepEqual([firstName, lastName], ['A"\\\n<Ž>', 'Սարգսյան 😀'])
})

describe('a refresh token', () => {
  const key = aKey('refresh', 'HS256')
  const token = mintRefreshToken(key, NAMES, session)

  test('is read by us', () => {
    assert.deepEqual(readRefreshToken(token, [key], NAMES), {
      sessionId: 'session-1',
      accountId: 7,
      generation: 5,
    })
  })

  test('has its claims in the order of the contract, and ends with the session', () => {
    const end = session.expiresAtMs / 1000
    assert.equal(segment(token, 0), `{"typ":"JWT","cty":"JWT","alg":"HS256","kid":"${key.kid}"}`)
    assert.equal(
      segment(token, 1),
      JSON.stringify({
        iss: NAMES.issuer,
        aud: NAMES.audience,
        sub: '7',
        jti: 'session-1.5',
        nbf: now,
        iat: now,
        exp: end,
        account: { userId: 7 },
        sid: 'session-1',
        gen: 5,
      }),
    )
  })

  test('is the same, byte for byte, whenever it is made for the same row', () => {
    const used = aSession({
      lastUsedAtMs: T0 + 99_000,
      handedOutAtMs: T0 + 99_000,
      repeats: 7,
      attemptKey: 'k',
    })
    assert.equal(mintRefreshToken(key, NAMES, used), token)
  })

  test('is another for another generation', () => {
    assert.notEqual(mintRefreshToken(key, NAMES, aSession({ generation: 6 })), token)
  })
})

describe('the tokens of one kind do not pass for the other', () => {
  const access = aKey('access', 'HS256')
  const refresh = aKey('refresh', 'HS256')
  test('as the keys are apart', () => {
    assert.equal(readRefreshToken(mint(access).token, [refresh], NAMES), null)
    assert.equal(readAccessToken(mintRefreshToken(refresh, NAMES, session), [access], NAMES), null)
  })
  test('an access token says no generation, so even with its key it refreshes nothing', () => {
    assert.equal(readRefreshToken(mint(access).token, [access], NAMES), null)
  })
})

test('a token of another issuer or audience is refused, though our key signed it', () => {
  const key = aKey('access', 'HS256')
  const { token } = mint(key)
  assert.ok(readAccessToken(token, [key], NAMES))
  assert.equal(readAccessToken(token, [key], { ...NAMES, issuer: 'https://auth.example.org' }), null)
  assert.equal(readAccessToken(token, [key], { ...NAMES, audience: 'other' }), null)
})
