/** Base64url in its one canonical spelling. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '../../src/settings/limits.ts'
import { decodeBase64url, encodeBase64url, textFromBase64url } from '../../src/tokens/base64url.ts'

test('bytes of every length survive', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37 + length) % 256))
    const text = encodeBase64url(bytes)
    assert.match(text, /^[A-Za-z0-9_-]*$/)
    assert.deepEqual(decodeBase64url(text), bytes)
  }
})

test('a view into a larger buffer encodes only what it shows', () => {
  const large = Buffer.from('0123456789')
  assert.equal(encodeBase64url(new Uint8Array(large.buffer, large.byteOffset + 2, 3)), encodeBase64url('234'))
})

test('text is encoded as UTF-8', () => {
  assert.equal(decodeBase64url(encodeBase64url('Անի 😀'))?.toString('utf8'), 'Անի 😀')
})

test('text of every length and script is encoded whole, and read back', () => {
  for (const letter of ['a', 'é', '€', '😀']) {
    for (const length of [0, 2, 1000, LIMITS.tokenCharacters, LIMITS.tokenCharacters + 2]) {
      const text = letter.repeat(length / letter.length)
      const encoded = encodeBase64url(text)
      assert.equal(encoded, Buffer.from(text).toString('base64url'))
      if (encoded.length <= LIMITS.tokenCharacters) assert.equal(textFromBase64url(encoded), text)
    }
  }
})

const REFUSED = {
  padding: 'YQ==',
  'the alphabet of plain base64': 'a+b/',
  'a space': 'YW Jj',
  'a line break at the end': 'YWJj\n',
  'a stray bit in the last character': 'YR',
  'two stray bits': 'YX',
  'a stray bit after two bytes': 'YWJ',
  'one character alone': 'Y',
  'a full stop': 'YW.j',
  'a character beyond ASCII that has the low byte of a letter': `YWJ${String.fromCharCode(0x16a)}`,
  NUL: 'YWJ\0',
}

for (const [name, text] of Object.entries(REFUSED)) {
  test(`another spelling is refused: ${name}`, () => assert.equal(decodeBase64url(text), null))
}

test('of the 64 last characters that lenient decoders take for the same byte, one is right', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const good = [...alphabet].filter((last) => decodeBase64url(`Y${last}`) !== null)
  assert.deepEqual(good, ['A', 'Q', 'g', 'w'])
})
