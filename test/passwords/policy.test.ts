/** How the length of a new password is counted: bytes by the contract, code points by the settings. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createPasswordPolicy } from '../../src/passwords/policy.ts'

const CONTRACT = createPasswordPolicy(null)
const FIFTEEN = createPasswordPolicy(15)
const EMOJI = '\u{1f600}'

describe('where the settings ask for 15 characters', () => {
  const rows = [
    ['14 of ASCII', 'Correct-Hors-1', false],
    ['15 of ASCII', 'Correct-Horse-1', true],
    ['5 that take 17 bytes', `a${EMOJI.repeat(4)}`, false],
    ['15 that take 57 bytes and 29 units of UTF-16', `a${EMOJI.repeat(14)}`, true],
    ['14 that are 16 when they are decomposed', 'Mot-de-pass\u00e9-\u00e9', false],
    ['15 that are 18 when they are decomposed', 'Mot-de-pass\u00e9-\u00e9\u00e9', true],
    // NFC spells this letter as two code points, which are what is hashed.
    ['13 that NFC spells as 14', '\u0958-abcdefghij-', false],
    ['14 that NFC spells as 15', '\u0958-abcdefghij-1', true],
    ['65, but 257 bytes', `a${EMOJI.repeat(64)}`, false],
  ] as const
  for (const [name, password, isTaken] of rows) {
    test(`${name} are ${isTaken ? 'enough' : 'refused'}, composed or not`, () => {
      for (const form of ['NFC', 'NFD'] as const)
        assert.equal(FIFTEEN.accepts(password.normalize(form)), isTaken, form)
      assert.equal(FIFTEEN.accepts(password), isTaken)
    })
  }
})

describe('where they ask for nothing, the bytes of the contract count', () => {
  const rows = [
    ['äb123', true],
    ['äb12', false],
    [`${EMOJI}a1`, true],
    [`${EMOJI}a`, false],
    ['abcde1', true],
    ['abcd1', false],
  ] as const
  for (const [password, isTaken] of rows) {
    test(`${password}, ${Buffer.byteLength(password)} bytes`, () =>
      assert.equal(CONTRACT.accepts(password), isTaken))
  }
})
