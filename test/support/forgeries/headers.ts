/** Forgeries whose header brings or names a key, or asks for extensions that the verifier does not know. */
import { aKey } from '../keys.ts'
import { type Forgery, type Target, b64, hs256, parts } from './forgery.ts'

const KIDS: readonly unknown[] = [
  '../../../../../../dev/null',
  '/dev/null',
  '/proc/sys/kernel/randomize_va_space',
  "x' union select '' -- ",
  "' or '1'='1",
  '$(id)',
  '|id',
  '`id`',
  '\0',
  '',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'k'.repeat(2500),
  null,
  0,
  [],
  {},
]

export function* headerForgeries({ genuine, key, listener }: Target): Generator<Forgery> {
  const [, payload] = parts(genuine)
  const { kid } = key
  for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
    const stranger = aKey('access', algorithm)
    const jwk = { ...stranger.publicJwk(), kid }
    const signed = (header: object) => {
      const input = `${b64({ typ: 'JWT', cty: 'JWT', alg: algorithm, ...header })}.${payload}`
      return `${input}.${stranger.sign(input)}`
    }
    const certificate = Buffer.from('no certificate, but nobody should look').toString('base64')
    yield { id: 'JA-07', name: `${algorithm} with its own jwk`, token: signed({ kid, jwk }) }
    yield { id: 'JA-07', name: `${algorithm} with its own jwk and no kid`, token: signed({ jwk }) }
    yield { id: 'JA-07', name: `${algorithm} with its own x5c`, token: signed({ kid, x5c: [certificate] }) }
    for (const from of ['jku', 'x5u']) {
      for (const url of [
        `${listener}/jwks.json`,
        `${listener}/.well-known/jwks.json#${kid}`,
        'file:///etc/passwd',
      ]) {
        yield { id: 'JA-08', name: `${algorithm} with ${from} ${url}`, token: signed({ kid, [from]: url }) }
      }
    }
    yield { id: 'JA-08', name: `${algorithm} with iss as the place`, token: signed({ kid, iss: listener }) }
  }
  for (const wrong of KIDS) {
    const input = `${b64({ typ: 'JWT', cty: 'JWT', alg: key.algorithm, kid: wrong })}.${payload}`
    const name = `kid ${JSON.stringify(wrong).slice(0, 40)}`
    for (const secret of ['', '\0', 'x'])
      yield { id: 'JA-09', name, token: `${input}.${hs256(input, secret)}` }
    yield { id: 'JA-09', name: `${name}, signed by us`, token: `${input}.${key.sign(input)}` }
  }
  const critical: readonly object[] = [
    { crit: ['b64'], b64: false },
    { crit: ['exp'], exp: 1 },
    { crit: ['x-unknown'], 'x-unknown': true },
    { crit: [] },
    { crit: 'alg' },
    { b64: false },
  ]
  for (const extra of critical) {
    const header = b64({ typ: 'JWT', cty: 'JWT', alg: key.algorithm, kid, ...extra })
    const name = `${JSON.stringify(extra)}, signed by us`
    yield { id: 'JA-10', name, token: `${header}.${payload}.${key.sign(`${header}.${payload}`)}` }
    const plain = Buffer.from(payload, 'base64url').toString('utf8').replaceAll('.', '')
    yield {
      id: 'JA-10',
      name: `${name}, the payload not encoded`,
      token: `${header}.${plain}.${key.sign(`${header}.${plain}`)}`,
    }
  }
  for (const typ of [
    'at+jwt',
    'jwt',
    'JWT ',
    'application/jwt',
    'dpop+jwt',
    'logout+jwt',
    'secevent+jwt',
    null,
    ['JWT'],
  ]) {
    const header = b64({ typ, cty: 'JWT', alg: key.algorithm, kid })
    yield {
      id: 'JA-12',
      name: `typ ${JSON.stringify(typ)}, signed by us`,
      token: `${header}.${payload}.${key.sign(`${header}.${payload}`)}`,
    }
  }
}
