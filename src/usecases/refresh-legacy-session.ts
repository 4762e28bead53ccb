import { DEFAULT_APPLICATION_ID, type Application } from '../core/application.ts'
import { type Denial, NO_SESSION, WRONG_APPLICATION, deny, isDenial } from '../core/denial.ts'
import { legacyDenial, legacyTimeDenial } from '../core/legacy.ts'
import type { Device } from '../core/session.ts'
import { LIMITS } from '../settings/limits.ts'
import {
  type LegacyRefreshToken,
  accountKeyText,
  readLegacyRefreshToken,
} from '../tokens/legacy-refresh-token.ts'
import type { RefreshTokenClaims } from '../tokens/refresh-token.ts'
import type { Deps } from './deps.ts'
import { sessionsEnded } from './sessions-ended.ts'
import { told } from './told.ts'

export interface LegacyRequest {
  readonly refreshToken: string
  /** The application whose key came with the request; null if none was sent. */
  readonly application: Application | null
  readonly address: string
  /** Describes the client; called only when a session is opened. */
  readonly device?: () => Device
}

/** The authentication method of these sessions: their users signed in at the original. */
const AMR = ['legacy']
/** Sessions opened for tokens of the original do not rotate, because its clients never store a new token. */
const ONLY_GENERATION = 1
/** Told apart from other tokens that are refused only in the log. */
const WRONG_ACCOUNT_KEY = deny('token-invalid')

/**
 * Exchanges a refresh token of the original for the claims of one of ours. Its first use opens a session, which every
 * later use finds again. That session ends like any other, and at the latest when the token expires.
 * Denials: `token-invalid`, `application-wrong`, `session-over`, `account-unknown`, `account-inactive`. @throws {Overloaded}
 */
export async function exchangeLegacyToken(
  deps: Deps,
  request: LegacyRequest,
): Promise<RefreshTokenClaims | Denial> {
  const exchanged = await exchange(deps, request)
  if (exchanged === WRONG_ACCOUNT_KEY) deps.events.wrongAccountKey(request.address)
  else if (exchanged === WRONG_APPLICATION) deps.events.unknownKey(request.address)
  else if (isDenial(exchanged) && exchanged.denied === 'token-invalid')
    deps.events.invalidToken(request.address)
  return exchanged
}

async function exchange(deps: Deps, request: LegacyRequest): Promise<RefreshTokenClaims | Denial> {
  const { legacy, store } = deps
  const token = legacy === null ? null : readLegacyRefreshToken(request.refreshToken, legacy.refreshSecret)
  if (token === null) return deny('token-invalid')
  // Checked before looking for the session: after the token has expired, its session may have been removed.
  const denial = legacyTimeDenial(token, store.clock.nowMs())
  if (denial !== null) return denial
  const { sessionId, accountId } = token
  const refusal = (await store.knowsLegacySession(sessionId)) ? null : await firstUse(deps, request, token)
  return refusal ?? { sessionId, accountId, generation: ONLY_GENERATION }
}

/**
 * Opens the session of a token; null when the session exists afterwards. Checking the token's `account_key` is slow, so
 * everything else is checked before it.
 */
async function firstUse(
  deps: Deps,
  { application: sender, address, device }: LegacyRequest,
  token: LegacyRefreshToken,
): Promise<Denial | null> {
  const { store } = deps
  const { sessionId, accountId } = token
  // The original served a single application; its sessions belong to the default one here.
  const application = await store.findApplication(DEFAULT_APPLICATION_ID)
  if (application === null) return NO_SESSION
  if (sender !== null && sender.applicationId !== application.applicationId) return WRONG_APPLICATION
  const denial = legacyDenial(token, await store.findLegacyAccount(accountId), application)
  if (denial !== null) return denial
  if (!(await hasAccountKey(deps, token))) return WRONG_ACCOUNT_KEY
  const opening = store.openLegacySession({
    sessionId,
    accountId,
    application,
    kid: deps.keys.signer('refresh').kid,
    amr: AMR,
    device: device?.() ?? { address, userAgent: null, deviceId: null },
    email: token.email,
    expiresAtMs: token.expiresAtSeconds * 1000,
    maxLiveSessions: LIMITS.liveSessionsPerAccount,
  })
  const opened = await told(opening, (outcome) => {
    if (outcome.kind === 'opened') record(deps, token, outcome.endedSessions, address)
  })
  return opened.kind === 'refused' ? opened.denial : null
}

async function hasAccountKey(deps: Deps, token: LegacyRefreshToken): Promise<boolean> {
  return deps.legacy !== null && deps.passwords.verify(token.accountKey, accountKeyText(token, deps.legacy))
}

function record(
  { events }: Deps,
  { accountId, sessionId }: LegacyRefreshToken,
  endedSessions: readonly string[],
  address: string,
): void {
  const message = 'Session of the original taken over'
  events.action({ accountId, code: 'Auth->Authorize', message, sessionId, address })
  sessionsEnded(events, { accountId, address }, endedSessions, 'session-limit')
}
