import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shortHash } from '../../src/tokens/short-hash.ts'

// Stores hold such hashes: a later version that made others would no longer find the rows.
test('a short hash is the start of the SHA-256, for a text and for its bytes', () => {
  // FIPS 180-2, appendix B.1: the digest of `abc` starts with ba7816bf 8f01cfea 414140de 5dae2223.
  const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  const expected = Buffer.from(digest, 'hex').toString('base64url').slice(0, 22)
  assert.equal(shortHash('abc'), expected)
  assert.equal(shortHash(Buffer.from('abc')), expected)
})
