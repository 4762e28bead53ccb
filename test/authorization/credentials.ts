/** The columns of the matrix: every combination of credentials that a caller may send. */
import { type AccountStatus, ROLE, type RoleId } from '../../src/core/account.ts'
import type { Application } from '../../src/core/application.ts'
import { mintAccessToken } from '../../src/tokens/access-token.ts'
import { type SigningKey, createSigningKey, generateKeyMaterial } from '../../src/tokens/signing-key.ts'
import { mintRefreshToken } from '../../src/tokens/refresh-token.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import type { OpenedSession } from '../support/opened-session.ts'

type Token = 'none' | 'good' | 'expired' | 'forged' | 'of-another-kind'

export interface Credential {
  readonly title: string
  readonly key: 'none' | 'good' | 'of-another-application' | 'wrong' | 'disabled'
  readonly access: Token
  readonly refresh: Exclude<Token, 'expired'>
  readonly session: 'live' | 'ended'
  readonly status: AccountStatus
  readonly role: RoleId
  /** Whether the access token comes as a bearer token in `Authorization`, as proxies and browsers send it. */
  readonly bearer: boolean
}

const NOTHING: Credential = {
  title: 'nothing',
  key: 'none',
  access: 'none',
  refresh: 'none',
  session: 'live',
  status: 1,
  role: ROLE.superAdmin,
  bearer: false,
}

/** The states of an account and its session that a genuine token may meet. */
const STATES: readonly (Pick<Credential, 'title'> & Partial<Credential>)[] = [
  { title: 'role 1', role: 1 },
  { title: 'role 2', role: 2 },
  { title: 'role 3', role: 3 },
  { title: 'role 4', role: 4 },
  { title: 'role 5', role: 5 },
  { title: 'an ended session', session: 'ended' },
  { title: 'a suspended account', status: 2 },
  { title: 'an account that is not verified', status: 0 },
  { title: 'a terminated account', status: 3 },
]

/** How a token is sent. */
const WAYS: readonly ((token: Token) => Partial<Credential>)[] = [
  (access) => ({ access }),
  (access) => ({ access, bearer: true }),
  (refresh) => ({ refresh: refresh as Credential['refresh'] }),
]

const genuine = WAYS.flatMap((way) => STATES.map((state) => ({ ...state, ...way('good') })))
const bad = WAYS.flatMap((way) =>
  (['forged', 'of-another-kind', 'expired'] as const).map((token) => ({
    title: `${token.replaceAll('-', ' ')}, of role 1`,
    ...way(token),
  })),
)

export const CREDENTIALS: readonly Credential[] = [
  {},
  { title: 'a wrong key', key: 'wrong' as const },
  { title: 'the key of a disabled application', key: 'disabled' as const },
  { title: 'a good key', key: 'good' as const },
  { title: 'the key of another application', key: 'of-another-application' as const },
  { title: 'a good key and a good refresh token', key: 'good' as const, refresh: 'good' as const },
  {
    title: "another application's key, good token",
    key: 'of-another-application' as const,
    refresh: 'good' as const,
  },
  { title: 'a wrong key and a good refresh token', key: 'wrong' as const, refresh: 'good' as const },
  { title: 'a disabled key and a good refresh token', key: 'disabled' as const, refresh: 'good' as const },
  { title: 'a wrong key and a good access token', key: 'wrong' as const, access: 'good' as const },
  // A refresh token has no expiry of its own: its session has.
  ...bad.filter((one) => (one as Partial<Credential>).refresh !== ('expired' as never)),
  ...genuine,
]
  .map((one) => ({ ...NOTHING, ...one }))
  .map((one) => ({ ...one, title: `${one.title} (${wayOf(one)})` }))

function wayOf(credential: Credential): string {
  if (credential.access !== 'none') return credential.bearer ? 'bearer' : 'access token'
  if (credential.refresh !== 'none') return 'refresh token'
  return credential.key === 'none' ? 'no header' : 'key'
}

export interface Keys {
  readonly good: string
  readonly 'of-another-application': string
  readonly disabled: string
}

/** The headers of a credential that belongs to `opened`, a live session of an account with that role and status. */
export async function headersOf(
  deps: Deps,
  credential: Credential,
  opened: OpenedSession,
  application: Application,
  keys: Keys,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  if (credential.key !== 'none') {
    headers['X-Auth-Key'] = { ...keys, wrong: `${keys.good}x` }[credential.key]
  }
  if (credential.access !== 'none') {
    const token = await accessTokenOf(deps, credential.access, opened, application)
    headers[credential.bearer ? 'Authorization' : 'Access-Token'] = credential.bearer
      ? `Bearer ${token}`
      : token
  }
  if (credential.refresh !== 'none') {
    headers['Refresh-Token'] = {
      good: opened.refreshToken,
      'of-another-kind': opened.accessToken,
      forged: forgedRefreshToken(deps, opened),
    }[credential.refresh]
  }
  return headers
}

async function accessTokenOf(
  deps: Deps,
  kind: Exclude<Token, 'none'>,
  opened: OpenedSession,
  application: Application,
): Promise<string> {
  const { keys, names, store } = deps
  const account = await store.findAccount(opened.session.accountId)
  if (account === null) throw new Error('the account of a session is gone')
  const nowMs = store.clock.nowMs()
  const mint = (key: SigningKey, atMs: number) =>
    mintAccessToken(key, names, opened.session, account, application.accessTokenTtlSeconds, atMs).token
  switch (kind) {
    case 'good':
      return opened.accessToken
    case 'of-another-kind':
      return opened.refreshToken
    case 'expired':
      return mint(keys.signer('access'), nowMs - (application.accessTokenTtlSeconds + 1) * 1000)
    case 'forged':
      return mint(ownKey(deps, 'access'), nowMs)
  }
}

function forgedRefreshToken(deps: Deps, { session }: OpenedSession): string {
  return mintRefreshToken(ownKey(deps, 'refresh'), deps.names, session)
}

/** A key that the attacker generates, with the header of the service's key. */
function ownKey(deps: Deps, purpose: 'access' | 'refresh'): SigningKey {
  const { kid, algorithm, headerSegment } = deps.keys.signer(purpose)
  const facts = { kid, purpose, algorithm, activeAtMs: 0, retireAtMs: null }
  const key = createSigningKey(facts, generateKeyMaterial(algorithm))
  if (key.headerSegment !== headerSegment) throw new Error('another header')
  return key
}
