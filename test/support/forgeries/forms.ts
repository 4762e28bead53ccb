/** Forgeries that do not have the form of three segments of the usual size. */
import { deflateRawSync } from 'node:zlib'
import { claimsOf } from '../keys.ts'
import { type Forgery, type Target, b64, parts } from './forgery.ts'

export function* formForgeries({ genuine, key }: Target): Generator<Forgery> {
  const [header, payload, signature] = parts(genuine)
  const { kid, algorithm } = key
  const nested = `${key.headerSegment}.${b64(genuine)}`
  const deflated = b64({ typ: 'JWT', cty: 'JWT', alg: algorithm, kid, zip: 'DEF' })
  const bomb = b64(deflateRawSync(Buffer.alloc(1_000_000, ' ')))
  const claims = claimsOf(genuine)
  const long = `${header}.${b64({ ...claims, filling: 'a'.repeat(4096) })}`
  const rows: [string, string, string][] = [
    ['JA-16', 'a token within a token', `${nested}.${signature}`],
    [
      'JA-16',
      'five parts',
      `${b64({ alg: 'dir', enc: 'A256GCM', kid })}..AAAAAAAAAAAAAAAA.${payload}.${signature}`,
    ],
    ['JA-16', 'four parts', `${genuine}.`],
    ['JA-16', 'five parts of which three are ours', `${genuine}.${payload}.${signature}`],
    ['JA-16', 'twice the same', `${genuine}.${genuine}`],
    ['JA-16', 'two parts', `${header}.${payload}`],
    ['JA-16', 'one part', header],
    ['JA-16', 'full stops', '..'],
    ['JA-16', 'many full stops', '.'.repeat(3000)],
    ['JA-16', 'flattened JSON', JSON.stringify({ protected: header, payload, signature })],
    ['JA-16', 'general JSON', JSON.stringify({ payload, signatures: [{ protected: header, signature }] })],
    ['JA-16', 'the claims alone', JSON.stringify(claims)],
    ['JA-17', 'a deflated payload, signed by us', `${deflated}.${bomb}.${key.sign(`${deflated}.${bomb}`)}`],
    ['JA-17', 'a deflated payload under our header', `${header}.${bomb}.${signature}`],
    [
      'JA-17',
      'an encrypted and deflated one',
      `${b64({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })}..AAAA.${bomb}.AAAA`,
    ],
    ['JA-17', 'a token of more than 4096 characters, signed by us', `${long}.${key.sign(long)}`],
  ]
  for (const [id, name, token] of rows) yield { id: id as Forgery['id'], name, token }
}
