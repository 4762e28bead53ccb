import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signJws } from '../../src/tokens/jws.ts'
import { namedKid } from '../../src/tokens/named-kid.ts'
import { ALGORITHMS, aKey } from '../support/keys.ts'
import { LEGACY_HEADER } from '../support/legacy.ts'

const KID = 'k'.repeat(22)
const named = (header: string, purpose: 'access' | 'refresh' = 'access') =>
  namedKid(`${Buffer.from(header).toString('base64url')}.e30.c2ln`, purpose)
const header = (alg: string, kid: string) => JSON.stringify({ typ: 'JWT', cty: 'JWT', alg, kid })

for (const algorithm of ALGORITHMS) {
  test(`what a key of ${algorithm} signs names that key, for the purposes that the algorithm signs for`, () => {
    for (let times = 0; times < 20; times++) {
      const key = aKey('access', algorithm)
      const token = signJws(key, '{}')
      assert.equal(namedKid(token, 'access'), key.kid)
      assert.equal(namedKid(token, 'refresh'), algorithm === 'HS256' ? key.kid : null)
    }
  })
}

test('no other header names a key, however close it comes', () => {
  assert.equal(named(header('HS256', KID)), KID)
  const others = [
    LEGACY_HEADER,
    header('none', `${KID}k`),
    header('HS512', KID),
    header('HS256', `${KID}k`),
    header('HS256', KID.slice(1)),
    header('HS256', `${KID.slice(1)}.`),
    header('HS256', `${KID.slice(1)}\n`),
    `{"cty":"JWT","typ":"JWT","alg":"HS256","kid":"${KID}"}`,
    `{"typ":"JWT","cty":"JWT","alg":"HS256","kid":"${KID.slice(1)}"} `,
    `{"typ":"JWT","cty":"JWT","alg":"HS256","jku":"${KID}"}`,
    '{'.repeat(header('HS256', KID).length),
    '',
  ]
  for (const other of others) assert.equal(named(other), null, other)
})

test('a header that is not in the canonical encoding names no key', () => {
  const segment = Buffer.from(header('HS256', KID)).toString('base64url')
  const lastBits = `${segment.slice(0, -1)}${String.fromCharCode(segment.charCodeAt(segment.length - 1) + 1)}`
  const spellings = [
    `${segment}=`,
    lastBits,
    segment.replace('e', '\u0165'),
    ` ${segment.slice(1)}`,
    `${segment}A`,
  ]
  assert.equal(namedKid(`${segment}.`, 'access'), KID)
  for (const spelling of ['', segment, ...spellings.map((each) => `${each}.e30.c2ln`)])
    assert.equal(namedKid(spelling, 'access'), null, spelling)
})
