/** Keys and tokens without a service around them. */
import {
  type Algorithm,
  type SigningKey,
  createSigningKey,
  generateKeyMaterial,
} from '../../src/tokens/signing-key.ts'
import { randomId } from '../../src/tokens/random-id.ts'
import type { KeyPurpose } from '../../src/store/store.ts'

export const ALGORITHMS = ['HS256', 'ES256', 'EdDSA', 'RS256'] as const

export const NAMES = { issuer: 'https://auth.example.com', audience: 'duktig' }

export function aKey(
  purpose: KeyPurpose,
  algorithm: Algorithm,
  material = generateKeyMaterial(algorithm),
): SigningKey {
  const facts = { kid: randomId(), purpose, algorithm, activeAtMs: 0, retireAtMs: null }
  return createSigningKey(facts, material)
}

/** A segment of a token, decoded to text. */
export function segment(token: string, index: 0 | 1): string {
  return Buffer.from(token.split('.')[index] ?? '', 'base64url').toString('utf8')
}

export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(segment(token, 1)) as Record<string, unknown>
}
