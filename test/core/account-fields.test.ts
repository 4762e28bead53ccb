/** What the fields of an account may hold (contract, section 4). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LENGTHS, hasLength, isEmail, isStrongPassword } from '../../src/core/account-fields.ts'

const a = (count: number) => 'a'.repeat(count)
/** An address of `count` characters in all, with labels as long as they may be. */
const long = (count: number) => `${a(64)}@${a(63)}.${a(63)}.${a(count - 64 - 1 - 64 - 64)}`
const shown = (value: unknown) => {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 70 ? `${text.slice(0, 40)}… (${text.length})` : text
}

const EMAILS = [
  'a@b.c',
  'ani@example.com',
  'Ani.Sarkis+tag@Mail.Example.COM',
  "o'hara@example.com",
  '!#$%&*+/=?^_`{|}~-@example.com',
  '1@2.3',
  'x@a-b.example',
  'x@xn--80ak6aa92e.com',
  `${a(64)}@example.com`,
  `x@${a(63)}.com`,
  long(254),
]

const NO_EMAILS = [
  '',
  '@',
  'a',
  'a@b',
  '@example.com',
  'a@',
  'a@.com',
  'a@com.',
  'a@example.com.',
  'a@ex..com',
  '.a@example.com',
  'a.@example.com',
  'a..b@example.com',
  'a@-b.com',
  'a@b-.com',
  'a@b_c.com',
  'a b@example.com',
  'a@exam ple.com',
  ' a@example.com',
  'a@example.com ',
  'a@example.com\n',
  'a@example.com\0',
  'a@b@example.com',
  '"a b"@example.com',
  'a@[127.0.0.1]',
  'Ani <ani@example.com>',
  'añi@example.com',
  'ani@exämple.com',
  'ani@example。com',
  `${a(65)}@example.com`,
  `x@${a(64)}.com`,
  long(255),
  'a@example.com\ud800',
  null,
  undefined,
  7,
  true,
  ['a@example.com'],
  { toString: () => 'a@example.com' },
]

describe('an e-mail address', () => {
  for (const email of EMAILS) test(`${shown(email)} is one`, () => assert.equal(isEmail(email), true))
  for (const value of NO_EMAILS) test(`${shown(value)} is none`, () => assert.equal(isEmail(value), false))
})

test('a long line of labels is judged at once, not in ever longer time', () => {
  const startedMs = performance.now()
  assert.equal(isEmail(`${'a.'.repeat(100)}@${'a-'.repeat(20)}`), false)
  assert.equal(isEmail(`${a(1_000_000)}@example.com`), false)
  assert.ok(performance.now() - startedMs < 500)
})

const STRONG = [
  'abc123',
  'ABC123',
  'abcDEF',
  'abcde!',
  '12345 ',
  '!!!!!1',
  'пароль1',
  'ää1234',
  '🔑🔑a',
  `${a(255)}1`,
  `${'é'.repeat(127)}a1`,
]

const WEAK = [
  '',
  'abc12',
  'abcdef',
  'ABCDEF',
  '123456',
  '!!!!!!',
  `${a(256)}1`,
  `${'é'.repeat(128)}1`,
  'abc12\0',
  'abc123\0',
  'abc123\ud800',
  '\udfffabc123',
  null,
  undefined,
  123_456,
  ['abc123'],
  { length: 10 },
]

describe('a password', () => {
  for (const value of STRONG)
    test(`${shown(value)} is strong`, () => assert.equal(isStrongPassword(value), true))
  for (const value of WEAK) test(`${shown(value)} is not`, () => assert.equal(isStrongPassword(value), false))
  test('letters beyond ASCII are of one kind, the symbols', () => {
    assert.equal(isStrongPassword('пароль'), false)
    assert.equal(isStrongPassword('пароль1'), true)
  })
  test('its length is counted in bytes', () => {
    assert.equal(Buffer.byteLength('ää1'), 5)
    assert.equal(isStrongPassword('ää1'), false)
    assert.equal(isStrongPassword('ää12'), true)
  })
})

describe('the length of a field', () => {
  const rows = [
    ['firstName', 'A', false],
    ['firstName', 'Al', true],
    ['firstName', a(15), true],
    ['firstName', a(16), false],
    ['lastName', a(20), true],
    ['lastName', a(21), false],
    ['phone', '12345', false],
    ['phone', '123456', true],
    ['phone', '1'.repeat(20), true],
    ['phone', '1'.repeat(21), false],
    ['comment', '', true],
    ['comment', a(255), true],
    ['comment', a(256), false],
    // Fifteen characters beyond the basic plane are thirty UTF-16 units and sixty bytes.
    ['firstName', '𝒜'.repeat(15), true],
    ['firstName', '𝒜'.repeat(16), false],
    ['firstName', '😀', false],
    ['firstName', 'Աննա', true],
    ['firstName', 'ab\0', false],
    ['firstName', 'ab\ud83d', false],
    ['firstName', '\ude00ab', false],
    ['firstName', '\ude00\ud83d', false],
    ['comment', '\ud800', false],
    ['comment', '\0', false],
    ['firstName', null, false],
    ['comment', null, false],
    ['comment', undefined, false],
    ['phone', 1_234_567, false],
    ['firstName', ['a', 'b'], false],
    ['firstName', { length: 5 }, false],
  ] as const
  for (const [field, value, good] of rows) {
    test(`${shown(value)} is ${good ? 'good' : 'not good'} as ${field}`, () => {
      assert.equal(hasLength(value, LENGTHS[field]), good)
    })
  }
})
