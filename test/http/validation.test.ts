/** The rules for bodies and queries (contract, section 4): the mistakes reported, with their wording and order. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createPasswordPolicy } from '../../src/passwords/policy.ts'
import type { JsonObject } from '../../src/http/body.ts'
import {
  comment,
  email,
  firstName,
  integer,
  lastName,
  newPassword,
  password,
  patchStatus,
  phone,
  roleId,
  status,
  unixDate,
} from '../../src/http/duktig/rules.ts'
import {
  type BodyRules,
  type Mistakes,
  validateBody,
  validateQuery,
} from '../../src/http/duktig/validation.ts'

const SIGN_IN: BodyRules = {
  fields: { email, password },
  keys: 'exact',
  required: true,
  wholeBodyKey: 'account',
}
const NEW_PASSWORD: BodyRules = { fields: { firstName, password: newPassword }, keys: 'patch' }
const NAMES: BodyRules = { fields: { firstName, lastName }, keys: 'exact' }
const ADMIN: BodyRules = { fields: { firstName, comment, roleId, status }, keys: 'exact' }
const PATCH: BodyRules = { fields: { firstName, phone, comment, roleId, status: patchStatus }, keys: 'patch' }

const REQUIRED = 'Required value'
const EMAIL = 'Required valid email address'
const PASSWORD = 'Required not weak Password Strength between 6 - 256 chars'
const FIRST = 'Required string min 2 max 15'
const LAST = 'Required string min 2 max 20'
const PHONE = 'Required string min 6 max 20'
const COMMENT = 'Required string min 0 max 255 or empty string'
const ROLE = 'Required value equal to 3 | 4 | 2 | 1 | 5'
const SUFFIX = ' or empty string'

const POLICY = createPasswordPolicy(null)

type Row = readonly [name: string, rules: BodyRules, body: JsonObject, mistakes: Mistakes]

/** Compared as text: the order of the fields and of their messages is part of the contract. */
function check(rows: readonly Row[]): void {
  for (const [name, rules, body, mistakes] of rows) {
    test(name, () =>
      assert.equal(JSON.stringify(validateBody(rules, body, POLICY)), JSON.stringify(mistakes)),
    )
  }
}

describe('a body that must have exactly its keys', () => {
  const exactNames = 'Required exact values as: firstName, lastName'
  const exactSignIn = 'Required exact values as: email, password'
  const exactAdmin = 'Required exact values as: firstName, comment, roleId, status'
  const proto = JSON.parse('{"firstName":"Ani","lastName":"Sarkis","__proto__":{"x":1}}') as JsonObject
  const inherited = Object.create({ firstName: 'Ani', lastName: 'Sarkis' }) as JsonObject
  check([
    ['is good when it has them', NAMES, { firstName: 'Ani', lastName: 'Sarkis' }, {}],
    ['in any order', NAMES, { lastName: 'Sarkis', firstName: 'Ani' }, {}],
    [
      'tells all mistakes at once, in the order of the rules, the whole body last',
      NAMES,
      { z: 1, lastName: 'S' },
      { firstName: [FIRST], lastName: [LAST], general: [exactNames] },
    ],
    [
      'refuses another key',
      NAMES,
      { firstName: 'Ani', lastName: 'Sarkis', x: null },
      { general: [exactNames] },
    ],
    [
      'refuses null for a value',
      NAMES,
      { firstName: 'Ani', lastName: null },
      { lastName: [LAST], general: [exactNames] },
    ],
    [
      'refuses a key written in another case',
      NAMES,
      { firstname: 'Ani', lastName: 'Sarkis' },
      { firstName: [FIRST], general: [exactNames] },
    ],
    ['is not fooled by __proto__', NAMES, proto, { general: [exactNames] }],
    [
      'sees no inherited keys',
      NAMES,
      inherited,
      { firstName: [FIRST], lastName: [LAST], general: [exactNames] },
    ],
    [
      'takes types as JSON has them',
      NAMES,
      { firstName: 123, lastName: ['ab'] },
      { firstName: [FIRST], lastName: [LAST] },
    ],
    [
      'says "Required value" first where values are required, and names the whole body "account" on sign-in',
      SIGN_IN,
      {},
      { email: [REQUIRED, EMAIL], password: [REQUIRED, PASSWORD], account: [exactSignIn] },
    ],
    [
      'counts null and empty as missing there',
      SIGN_IN,
      { email: '', password: null },
      { email: [REQUIRED, EMAIL], password: [REQUIRED, PASSWORD], account: [exactSignIn] },
    ],
    ['does not say it of a wrong value', SIGN_IN, { email: 'a', password: 'abc123' }, { email: [EMAIL] }],
    [
      'does not count 0 and false as missing',
      SIGN_IN,
      { email: 0, password: false },
      { email: [EMAIL], password: [PASSWORD] },
    ],
    ['takes an empty comment', ADMIN, { firstName: 'Ani', comment: '', roleId: 4, status: 1 }, {}],
    [
      'tells a missing comment only as a missing key',
      ADMIN,
      { firstName: 'Ani', roleId: 4, status: 1 },
      { general: [exactAdmin] },
    ],
    [
      'tells a null comment only as a missing key',
      ADMIN,
      { firstName: 'Ani', comment: null, roleId: 4, status: 1 },
      { general: [exactAdmin] },
    ],
    [
      'words a comment with its suffix also here',
      ADMIN,
      { firstName: 'Ani', comment: 1, roleId: 4, status: 1 },
      { comment: [COMMENT] },
    ],
    [
      'takes role and status as decimal text',
      ADMIN,
      { firstName: 'Ani', comment: '', roleId: '5', status: '0' },
      {},
    ],
    [
      'but not in other spellings of the number',
      ADMIN,
      { firstName: 'Ani', comment: '', roleId: '05', status: true },
      { roleId: [ROLE], status: ['Required value equal to 1 | 0'] },
    ],
    [
      'lists the roles in the order of the contract',
      ADMIN,
      { firstName: 'Ani', comment: '', roleId: 6, status: 1 },
      { roleId: [ROLE] },
    ],
    [
      'does not offer to suspend',
      ADMIN,
      { firstName: 'Ani', comment: '', roleId: 4, status: 2 },
      { status: ['Required value equal to 1 | 0'] },
    ],
  ])
})

describe('a body that may have any of its keys', () => {
  const allowed = 'firstName, phone, comment, roleId, status'
  const atLeast = `Required at least one value like: ${allowed}`
  const noOthers = (keys: string) => `Required no extra values: ${keys}. Allowed only: ${allowed}`
  check([
    ['is good with one', PATCH, { firstName: 'Ani' }, {}],
    ['skips missing and null', PATCH, { firstName: 'Ani', phone: null }, {}],
    ['needs one', PATCH, {}, { general: [atLeast] }],
    ['counts null as none', PATCH, { firstName: null, comment: null }, { general: [atLeast] }],
    [
      'refuses an empty string by its rule and counts it as none',
      PATCH,
      { firstName: '' },
      { firstName: [FIRST + SUFFIX], general: [atLeast] },
    ],
    ['counts an empty comment as a value: it clears the comment', PATCH, { comment: '' }, {}],
    [
      'words its mistakes with the suffix',
      PATCH,
      { firstName: 'A', phone: 1 },
      { firstName: [FIRST + SUFFIX], phone: [PHONE + SUFFIX] },
    ],
    ['does not put the suffix twice', PATCH, { comment: false }, { comment: [COMMENT] }],
    ['may suspend', PATCH, { status: 2 }, {}],
    ['may not terminate', PATCH, { status: 3 }, { status: [`Required value equal to 1 | 0 | 2${SUFFIX}`] }],
    ['never sets a role to null', PATCH, { roleId: null }, { general: [atLeast] }],
    [
      'names other keys, in their order',
      PATCH,
      { firstName: 'Ani', b: 1, a: 2 },
      { general: [noOthers('b, a')] },
    ],
    ['tells both about the whole body', PATCH, { x: 1 }, { general: [atLeast, noOthers('x')] }],
  ])
})

describe('a password that is to be set', () => {
  const long = createPasswordPolicy(15)
  const rows = [
    ['must be strong', 'abcdef', POLICY, [PASSWORD + SUFFIX]],
    ['must not be one that everybody tries first', 'password1', POLICY, [PASSWORD + SUFFIX]],
    ['may be any other', 'Correct-Horse-1', POLICY, undefined],
    ["may be the contract's shortest", 'abcde1', POLICY, undefined],
    ['in any case', 'ABCDE1', POLICY, undefined],
    ['also of letters alone', 'Abcdef', POLICY, undefined],
    [
      'must be as long as the settings say, in these words',
      'Correct-Hors-1',
      long,
      [PASSWORD.replace('6', '15') + SUFFIX],
    ],
    ['and may be exactly as long', 'Correct-Horse-1', long, undefined],
    [
      'must have so many characters, not bytes',
      'a\u{1f600}\u{1f600}\u{1f600}\u{1f600}',
      long,
      [PASSWORD.replace('6', '15') + SUFFIX],
    ],
  ] as const
  for (const [name, value, policy, messages] of rows) {
    test(name, () => {
      const mistakes = validateBody(NEW_PASSWORD, { firstName: 'Ani', password: value }, policy)
      assert.deepEqual(mistakes['password'], messages)
    })
  }
  test('is judged by these rules only where it is set, never at sign-in', () => {
    assert.deepEqual(validateBody(SIGN_IN, { email: 'a@b.c', password: 'password1' }, long), {})
  })
})

describe('a query', () => {
  const fields = { offset: integer(0), limit: integer(1), dateFrom: unixDate }
  const INT0 = 'Required int value min 0'
  const INT1 = 'Required int value min 1'
  const DATE = 'Required valid date with format: U'
  const good = { offset: '0', limit: '1', dateFrom: '1574418837' }
  /** With the values that differ from the good ones. */
  const rows = [
    ['with all its values is good', {}, {}],
    ['tells what is too small', { offset: '-1', limit: '0' }, { offset: [INT0], limit: [INT1] }],
    [
      'refuses other spellings of a number',
      { offset: '00', limit: '1e3' },
      { offset: [INT0], limit: [INT1] },
    ],
    ['refuses spaces and signs', { offset: ' 1', limit: '+1' }, { offset: [INT0], limit: [INT1] }],
    ['takes any that 64 bits hold', { offset: '9223372036854775807', limit: '9007199254740993' }, {}],
    [
      'refuses those beyond',
      { offset: '9223372036854775808', limit: '1'.repeat(20) },
      { offset: [INT0], limit: [INT1] },
    ],
    ['refuses a parameter given twice', { offset: ['0', '0'] }, { offset: [INT0] }],
    ['refuses a date in words', { dateFrom: '2019-11-22' }, { dateFrom: [DATE] }],
    ['refuses an empty date', { dateFrom: '' }, { dateFrom: [DATE] }],
  ] as const
  for (const [name, changed, mistakes] of rows) {
    test(name, () => assert.deepEqual(validateQuery(fields, { ...good, ...changed }), mistakes))
  }
  test('tells what is missing', () => {
    assert.deepEqual(validateQuery(fields, {}), { offset: [INT0], limit: [INT1], dateFrom: [DATE] })
  })
})
