/** What the PHP original would have issued and stored. */
import { createHmac } from 'node:crypto'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import type { LegacyKeys } from '../../src/tokens/legacy-refresh-token.ts'

export const LEGACY_KEYS: LegacyKeys = {
  refreshSecret: 'the refresh secret of the original, with spaces',
  accountKey: 'the account key of the original',
}

/** The settings with which the service accepts the original's refresh tokens. */
export const LEGACY_VARIABLES = {
  DUKTIG_LEGACY_REFRESH_SECRET: LEGACY_KEYS.refreshSecret,
  DUKTIG_LEGACY_ACCOUNT_KEY: LEGACY_KEYS.accountKey,
} as const

export const LEGACY_HEADER = '{"typ":"JWT","cty":"JWT","alg":"HS256"}'

/** A bcrypt hash as PHP writes it, but cheaper than PHP's unless a test sets the cost. */
export function phpHash(text: string, cost = 4): Promise<string> {
  return bcryptHash(text, { cost, version: '2y' })
}

export interface LegacyTokenFacts {
  readonly userId: number | string
  readonly email: string
  readonly issuedAtSeconds?: number
  readonly lifeSeconds?: number
  readonly keys?: LegacyKeys
}

/** The claims of a refresh token, in the order of the original. */
export async function legacyClaims(facts: LegacyTokenFacts): Promise<Record<string, unknown>> {
  const { userId, email, keys = LEGACY_KEYS, lifeSeconds = 30 * 86_400 } = facts
  const iat = facts.issuedAtSeconds ?? Math.floor(Date.now() / 1000) - 60
  const accountKey = await phpHash(`${userId}${keys.accountKey}${email}`)
  return {
    iss: 'duktig.iss',
    aud: 'duktig.aud',
    sub: 'duktig.sub',
    jti: 'duktig.jti',
    nbf: iat,
    iat,
    exp: iat + lifeSeconds,
    account: { userId, email, account_key: accountKey },
  }
}

/** A refresh token as the original issued it. */
export async function legacyToken(facts: LegacyTokenFacts): Promise<string> {
  return signLegacy(JSON.stringify(await legacyClaims(facts)), facts.keys?.refreshSecret)
}

export function signLegacy(
  payload: string,
  secret = LEGACY_KEYS.refreshSecret,
  header = LEGACY_HEADER,
): string {
  const segment = (text: string) => Buffer.from(text).toString('base64url')
  const input = `${segment(header)}.${segment(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
