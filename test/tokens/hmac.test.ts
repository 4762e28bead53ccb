import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { LIMITS } from '../../src/settings/limits.ts'
import { hmacSha256 } from '../../src/tokens/hmac.ts'

const theirs = (key: Uint8Array, text: string) => createHmac('sha256', key).update(text).digest('base64url')

test('a MAC is the one that createHmac makes, for texts of any length and script', () => {
  const lengths = [0, 1, 55, 56, 63, 64, 65, 400, 1365, LIMITS.tokenCharacters, LIMITS.tokenCharacters + 1]
  for (const letter of ['a', 'é', 'š', '😀', '\ud800']) {
    const key = randomBytes(32)
    const mac = hmacSha256(key)
    for (const length of lengths) {
      const text = letter.repeat(length)
      assert.equal(mac(text), theirs(key, text), `${length} times ${letter}`)
    }
    assert.equal(mac('short, after long ones'), theirs(key, 'short, after long ones'))
  }
})

test('keys of any length up to a block serve, longer ones are refused', () => {
  for (const length of [1, 31, 32, 63, 64]) {
    const key = randomBytes(length)
    assert.equal(hmacSha256(key)('text'), theirs(key, 'text'))
  }
  assert.throws(() => hmacSha256(randomBytes(65)), RangeError)
})
