/** A service with the name that docs/integrate.md uses, and tokens that a resource server must refuse. */
import { createHmac } from 'node:crypto'
import { mintAccessToken } from '../../src/tokens/access-token.ts'
import type { Algorithm } from '../../src/tokens/signing-key.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { type OpenedSession, makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'
import { ISSUER } from './blocks.ts'

export interface Authority {
  readonly service: TestService
  readonly deps: Deps
  readonly opened: OpenedSession
  close(): Promise<void>
}

export async function openAuthority(
  algorithm: Algorithm,
  variables: Readonly<Record<string, string>> = {},
): Promise<Authority> {
  const service = await startTestService({
    DUKTIG_ISSUER: ISSUER,
    DUKTIG_ACCESS_TOKEN_ALG: algorithm,
    ...UNLIMITED,
    ...variables,
  })
  const beside = await openBeside(service)
  const { application } = await makeApplication(beside.deps)
  const opened = await openSession(beside.deps, await makeAccount(beside.deps), application)
  return {
    service,
    deps: beside.deps,
    opened,
    async close() {
      await beside.close()
      await service.stop()
    },
  }
}

/** The tokens, by what is wrong with them. */
export function badTokens({ deps, opened }: Authority): Readonly<Record<string, string>> {
  const { keys, names } = deps
  const { session, accessToken, refreshToken } = opened
  const account = { ...ACCOUNT, accountId: session.accountId }
  const key = keys.signer('access')
  const mint = (changed: Partial<typeof names>, ttlSeconds = 900, atMs = session.createdAtMs) =>
    mintAccessToken(key, { ...names, ...changed }, session, account, ttlSeconds, atMs).token
  const [head = '', body = '', signature = ''] = accessToken.split('.')
  const other = Buffer.from(Buffer.from(body, 'base64url').toString().replace('"roleId":4', '"roleId":1'))
  return {
    'a refresh token': refreshToken,
    'a token that has ended': mint({}, 60, session.createdAtMs - 3_600_000),
    'a token of another issuer': mint({ issuer: 'https://elsewhere.example.com' }),
    'a token for another audience': mint({ audience: 'elsewhere' }),
    'changed claims': [head, other.toString('base64url'), signature].join('.'),
    'no signature': `${head}.${body}.`,
    'the algorithm none': `${headerOf({ alg: 'none', kid: key.kid })}.${body}.`,
    'the public key as the secret of HS256': signedWithPublicKey(key.publicJwk(), key.kid, body),
    'an unknown key': `${headerOf({ alg: key.algorithm, kid: 'unknown' })}.${body}.${signature}`,
    'no token': 'nonsense',
  }
}

const ACCOUNT = {
  firstName: 'Ani',
  lastName: 'Sarkis',
  email: 'ani@example.com',
  roleId: 4,
  status: 1,
} as const

function headerOf(header: object): string {
  return Buffer.from(JSON.stringify({ typ: 'JWT', ...header })).toString('base64url')
}

function signedWithPublicKey(jwk: object | null, kid: string, body: string): string {
  const input = `${headerOf({ alg: 'HS256', kid })}.${body}`
  return `${input}.${createHmac('sha256', JSON.stringify(jwk)).update(input).digest('base64url')}`
}
