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
  /** The very key that signed it: some forgeries are signed rightly and wrong all the same. */
  readonly key: SigningKey
  /** The public key that a stranger knows, if there is one. */
  readonly publicKey: SigningKey | null
  /** Where a fetched key set would come from. */
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
