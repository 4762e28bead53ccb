/** Refresh tokens of the original are accepted letter for letter, or not at all. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { accountKeyText, readLegacyRefreshToken } from '../../src/tokens/legacy-refresh-token.ts'
import { LEGACY_KEYS, legacyClaims, legacyToken, signLegacy } from '../support/legacy.ts'

const { refreshSecret } = LEGACY_KEYS
const read = (token: string) => readLegacyRefreshToken(token, refreshSecret)
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

describe('a refresh token of the original', () => {
  let genuine = ''
  let claims: Record<string, unknown> = {}
  before(async () => {
    genuine = await legacyToken({ userId: 7, email: 'Ani@example.com' })
    claims = await legacyClaims({ userId: 7, email: 'Ani@example.com', issuedAtSeconds: 1_700_000_000 })
  })
  const signed = (changes: object) => signLegacy(JSON.stringify({ ...claims, ...changes }))

  test('says who it was issued to, and when', () => {
    const token = read(signed({}))
    assert.ok(token !== null)
    assert.equal(token.accountId, 7)
    assert.equal(token.email, 'Ani@example.com')
    assert.equal(token.issuedAtSeconds, 1_700_000_000)
    assert.equal(token.notBeforeSeconds, 1_700_000_000)
    assert.equal(token.expiresAtSeconds, 1_700_000_000 + 30 * 86_400)
    assert.match(token.sessionId, /^[A-Za-z0-9_-]{22}$/)
    assert.equal(accountKeyText(token, LEGACY_KEYS), `7${LEGACY_KEYS.accountKey}Ani@example.com`)
  })

  test('stands for one session, another token for another', () => {
    assert.equal(read(genuine)?.sessionId, read(genuine)?.sessionId)
    assert.notEqual(read(genuine)?.sessionId, read(signed({}))?.sessionId)
  })

  test('with any character changed, left out or doubled is none', () => {
    for (let i = 0; i < genuine.length; i++) {
      const at = ALPHABET.indexOf(genuine[i] ?? '')
      const neighbour = ALPHABET[at ^ 1] ?? 'A'
      for (const instead of ['', neighbour, `${genuine[i]}${genuine[i]}`]) {
        assert.equal(read(genuine.slice(0, i) + instead + genuine.slice(i + 1)), null, `character ${i}`)
      }
    }
  })

  test('in another spelling of the same bytes is none', () => {
    const [header, body, signature] = genuine.split('.') as [string, string, string]
    const spellings = [
      `${genuine}=`,
      `${header}.${body}=.${signature}`,
      `${genuine}.`,
      ` ${genuine}`,
      `${genuine}\n`,
      `${header}.${body}.${signature.replaceAll('-', '+').replaceAll('_', '/')}=`,
      `${header}.${body}.`,
      `${header}.${body}`,
      `${header}..${signature}`,
      // A character whose low byte is that of the right character.
      `${header}.${body}.${String.fromCharCode(signature.charCodeAt(0) + 0x100)}${signature.slice(1)}`,
      '...',
      '',
    ]
    for (const spelling of spellings) assert.equal(read(spelling), null, spelling)
  })

  test('under another header is none, whatever it is signed with', () => {
    const headers = [
      '{"alg":"HS256","typ":"JWT","cty":"JWT"}',
      '{"typ":"JWT","cty":"JWT","alg":"HS256","kid":"x"}',
      '{"typ":"JWT","cty":"JWT","alg":"none"}',
      '{"typ":"JWT","cty":"JWT","alg":["HS256"]}',
      '{"typ":"JWT", "cty":"JWT","alg":"HS256"}',
      '{"typ":"JWT","cty":"JWT","alg":"HS512"}',
      '',
    ]
    for (const header of headers) {
      assert.equal(read(signLegacy(JSON.stringify(claims), refreshSecret, header)), null, header)
    }
  })

  test('signed with another secret is none', () => {
    for (const secret of ['', 'x', `${refreshSecret} `, LEGACY_KEYS.accountKey]) {
      assert.equal(read(signLegacy(JSON.stringify(claims), secret)), null)
    }
  })

  const account = { userId: 7, email: 'ani@example.com', account_key: 'k' }
  const wrong: readonly object[] = [
    ...[null, '1', 1.5, -1, 1e300, [1], true, undefined].flatMap((time) => [
      { exp: time },
      { iat: time },
      { nbf: time },
    ]),
    ...[0, -7, 7.5, 1e300, '07', '7 ', '', 'x', null, [7], {}, true, '1'.repeat(40)].map((userId) => ({
      account: { ...account, userId },
    })),
    ...[null, 7, ['a@b.c'], {}].flatMap((text) => [
      { account: { ...account, email: text } },
      { account: { ...account, account_key: text } },
    ]),
    ...[null, 7, 'x', []].map((instead) => ({ account: instead })),
  ]
  test('that is signed but not as the original wrote it is none', () => {
    for (const changes of wrong) assert.equal(read(signed(changes)), null, JSON.stringify(changes))
    for (const payload of ['', 'null', '7', '"x"', '[]', '{', '{"exp":1e999}', '\u{feff}{}']) {
      assert.equal(read(signLegacy(payload)), null, payload)
    }
  })

  test('longer than any token is none', () => {
    assert.equal(read(signed({ jti: 'x'.repeat(4000) })), null)
  })

  test('may name its account as text, as some PHP drivers did', async () => {
    const token = read(await legacyToken({ userId: '7', email: 'ani@example.com' }))
    assert.equal(token?.accountId, 7)
  })
})
