/**
 * Forgeries signed with the genuine key. No attacker can make them, but the verifier must refuse their contents too.
 */
import { claimsOf } from '../keys.ts'
import { type Forgery, type Target, b64, parts } from './forgery.ts'

/** Values that are not whole numbers of seconds, although a lenient parser may take some for one. */
const NO_TIMES: readonly unknown[] = [
  '4102444800',
  4_102_444_800.5,
  1e300,
  null,
  true,
  [4_102_444_800],
  {},
  'never',
  '',
]

export function* claimForgeries({ genuine, key }: Target): Generator<Forgery> {
  const claims = claimsOf(genuine)
  const signed = (payload: string) => {
    const input = `${key.headerSegment}.${b64(payload)}`
    return `${input}.${key.sign(input)}`
  }
  const changed = (change: object) => signed(JSON.stringify({ ...claims, ...change }))
  const without = (...names: readonly string[]) =>
    signed(
      JSON.stringify(Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)))),
    )

  // The row holds the end of a refresh token, so the verifier checks no time claims in it; it checks the generation.
  for (const number of 'gen' in claims ? ['gen'] : ['nbf', 'iat', 'exp']) {
    for (const value of NO_TIMES) {
      yield { id: 'JA-13', name: `${number} ${JSON.stringify(value)}`, token: changed({ [number]: value }) }
    }
    yield { id: 'JA-13', name: `no ${number}`, token: without(number) }
  }

  for (const name of ['iss', 'aud']) {
    const right = String(claims[name])
    const wrong: readonly unknown[] = [
      [right],
      [right, 'https://attacker.example'],
      `${right}.attacker.example`,
      `${right}/`,
      right.slice(0, -1),
      right.toUpperCase(),
      ` ${right}`,
      `${right}\0`,
      '',
      null,
      0,
      { toString: right },
    ]
    for (const value of wrong) {
      yield { id: 'JA-14', name: `${name} ${JSON.stringify(value)}`, token: changed({ [name]: value }) }
    }
    yield { id: 'JA-14', name: `no ${name}`, token: without(name) }
  }
  for (const [name, value] of [
    ['sub', 1],
    ['sub', null],
    ['sub', ['1']],
    ['sid', null],
    ['sid', 1],
    ['sid', ['x']],
  ] as const) {
    yield { id: 'JA-14', name: `${name} ${JSON.stringify(value)}`, token: changed({ [name]: value }) }
  }
  for (const payload of ['{}', '[]', 'null', '0', '"text"', 'true', '', '{', '\ufeff{}', '\ufffd']) {
    yield { id: 'JA-14', name: `claims ${payload}`, token: signed(payload) }
  }
  yield* doubledMembers({ genuine, key })
}

/** JSON parsers differ in which of two members with one name they take. So the header must match ours byte for byte. */
function* doubledMembers({ genuine, key }: Pick<Target, 'genuine' | 'key'>): Generator<Forgery> {
  const [, payload] = parts(genuine)
  const { algorithm: alg, kid } = key
  const headers = [
    `{"alg":"none","typ":"JWT","cty":"JWT","alg":"${alg}","kid":"${kid}"}`,
    `{"typ":"JWT","cty":"JWT","alg":"${alg}","kid":"${kid}","alg":"none"}`,
    `{"typ":"JWT","cty":"JWT","alg":"${alg}","kid":"x","kid":"${kid}"}`,
    `{"typ":"JWT","cty":"JWT","alg":"${alg}","kid":"${kid}"} `,
    `{ "typ":"JWT","cty":"JWT","alg":"${alg}","kid":"${kid}"}`,
    `{"cty":"JWT","typ":"JWT","alg":"${alg}","kid":"${kid}"}`,
    `{"typ":"JWT","cty":"JWT","alg":"\\u00${alg.charCodeAt(0).toString(16)}${alg.slice(1)}","kid":"${kid}"}`,
    `{"typ":"JWT","cty":"JWT","alg":"${alg}"}`,
    '{}',
  ]
  for (const header of headers) {
    const input = `${b64(header)}.${payload}`
    yield { id: 'JA-15', name: `${header}, signed by us`, token: `${input}.${key.sign(input)}` }
  }
  const [header, , signature] = parts(genuine)
  const text = Buffer.from(payload, 'base64url').toString('utf8')
  const doubled = b64(`${text.slice(0, -1)},"sub":"1"}`)
  yield { id: 'JA-15', name: 'a second sub in the claims', token: `${header}.${doubled}.${signature}` }
}
