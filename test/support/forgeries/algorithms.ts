/**
 * Forgeries that try to change the verifier's algorithm: to none, or to HMAC with a guessed secret or the public key.
 */
import { createHmac, createPublicKey } from 'node:crypto'
import type { SigningKey } from '../../../src/tokens/signing-key.ts'
import { type Forgery, type Target, b64, hs256, parts } from './forgery.ts'
import { COMMON_SECRETS } from './common-secrets.ts'

export function* algorithmForgeries({ genuine, key, publicKey }: Target): Generator<Forgery> {
  const [header, payload, signature] = parts(genuine)
  const { kid } = key
  for (const alg of [
    'none',
    'None',
    'NONE',
    'nOnE',
    'nonE',
    'none ',
    ' none',
    '',
    null,
    [],
    ['HS256'],
    0,
    {},
  ]) {
    const name = `alg ${JSON.stringify(alg)}`
    const head = b64({ typ: 'JWT', cty: 'JWT', alg, kid })
    for (const end of ['.', '', `.${signature}`, `.${key.sign(`${head}.${payload}`)}`]) {
      yield {
        id: 'JA-02',
        name: `${name} with the end ${JSON.stringify(end.slice(0, 5))}`,
        token: `${head}.${payload}${end}`,
      }
    }
  }
  for (const end of ['', 'null', 'undefined', 'AA', 'A'.repeat(signature.length)]) {
    yield {
      id: 'JA-03',
      name: `the signature ${JSON.stringify(end.slice(0, 9))}`,
      token: `${header}.${payload}.${end}`,
    }
  }
  const ours = b64({ typ: 'JWT', cty: 'JWT', alg: 'HS256', kid })
  for (const secret of ['', '\0', ' ', '\0'.repeat(32), '0'.repeat(32), 'null', 'undefined']) {
    const token = `${ours}.${payload}.${hs256(`${ours}.${payload}`, secret)}`
    yield { id: 'JA-04', name: `HMAC with the key ${JSON.stringify(secret)}`, token }
  }
  for (const secret of COMMON_SECRETS) {
    yield { id: 'JA-05', name: secret, token: `${ours}.${payload}.${hs256(`${ours}.${payload}`, secret)}` }
  }
  if (publicKey === null) return
  for (const [name, secret] of publicForms(publicKey)) {
    for (const [alg, digest] of [
      ['HS256', 'sha256'],
      ['HS512', 'sha512'],
      [key.algorithm, 'sha256'],
    ] as const) {
      const input = `${b64({ typ: 'JWT', cty: 'JWT', alg, kid: publicKey.kid })}.${payload}`
      const token = `${input}.${createHmac(digest, secret).update(input).digest('base64url')}`
      yield { id: 'JA-06', name: `${alg} with the public key as ${name}`, token }
    }
  }
}

/** All encodings of a public key that a verifier might mistake for an HMAC secret. */
function publicForms(key: SigningKey): [string, Buffer][] {
  const jwk = key.publicJwk()
  if (jwk === null) return []
  const bare = Object.fromEntries(
    Object.entries(jwk).filter(([name]) => !['kid', 'alg', 'use'].includes(name)),
  )
  const pem = createPublicKey({ key: bare, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const body = pem.replace(/-----[^-]+-----|\s/g, '')
  const forms: Record<string, string | Buffer> = {
    PEM: pem,
    'PEM without the last line break': pem.trimEnd(),
    'PEM after a line break': `\n${pem}`,
    'PEM with CRLF': pem.replaceAll('\n', '\r\n'),
    'the body of the PEM': body,
    DER: Buffer.from(body, 'base64'),
    JWK: JSON.stringify(jwk),
    'JWK without kid': JSON.stringify(bare),
    JWKS: JSON.stringify({ keys: [jwk] }),
    'x or n': Buffer.from(String(jwk['x'] ?? jwk['n']), 'base64url'),
  }
  return Object.entries(forms).map(([name, form]) => [name, Buffer.from(form)])
}
