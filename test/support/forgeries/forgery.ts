/** A forged token and what it is made from. */
import { createHmac } from 'node:crypto'
import type { SigningKey } from '../../../src/tokens/signing-key.ts'

export interface Forgery {
  readonly id: `JA-${string}`
  readonly name: string
  readonly token: string
}

export interface Target {
  readonly genuine: string
  /** The key that signed `genuine`. Some forgeries are signed with it, and must be refused all the same. */
  readonly key: SigningKey
  /** The service's public key, which an attacker knows; null if there is none. */
  readonly publicKey: SigningKey | null
  /** The address from which a verifier would fetch an attacker's key set. */
  readonly listener: string
}

export const b64 = (value: string | Uint8Array | object): string =>
  Buffer.from(
    typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value),
  ).toString('base64url')

export const hs256 = (input: string, secret: string | Uint8Array): string =>
  createHmac('sha256', secret).update(input).digest('base64url')

export const parts = (token: string) =>
  token.split('.') as [header: string, payload: string, signature: string]
