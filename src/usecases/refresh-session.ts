import { type Denial, WRONG_APPLICATION, deny, isDenial } from '../core/denial.ts'
import { type RefreshDecision, decideRefresh } from '../core/refresh.ts'
import { accessTtlSeconds } from '../core/session.ts'
import { LIMITS } from '../settings/limits.ts'
import type { Decide, RefreshOutcome } from '../store/store.ts'
import { mintAccessToken } from '../tokens/access-token.ts'
import { mintRefreshToken, readRefreshToken } from '../tokens/refresh-token.ts'
import { shortHash } from '../tokens/short-hash.ts'
import type { Deps } from './deps.ts'
import type { RefreshResult } from './events.ts'
import { readWithNewKey } from './read-with-new-key.ts'
import { type LegacyRequest, exchangeLegacyToken } from './refresh-legacy-session.ts'
import { told } from './told.ts'
import { denialWithoutSession } from './without-session.ts'

export interface RefreshSessionRequest extends LegacyRequest {
  /** The `Idempotency-Key`: one random key for each refresh token that a client stores. Null if none was sent. */
  readonly attemptKey: string | null
  /** When the request arrived, by the store's clock; the deadline for the decision counts from it. Defaults to now. */
  readonly receivedAtMs?: number
}

export interface Refreshed {
  readonly accessToken: string
  /** Seconds since 1970. */
  readonly expiresAtSeconds: number
  /** Null when the caller's token stays valid: a late answer then cannot overwrite a newer token. */
  readonly refreshToken: string | null
}

/**
 * Answers a refresh token with a new access token, by the seven cases of docs/refresh.md. Malformed and forged tokens
 * are refused without asking the store, except for new keys, once a second. Denials: `token-invalid`, `session-over`
 * with its reason, `account-unknown`, `account-inactive`, `credential-missing`, `application-wrong`.
 * @throws {StoreUnavailable} @throws {Overloaded}
 */
export async function refreshSession(
  deps: Deps,
  request: RefreshSessionRequest,
): Promise<Refreshed | Denial> {
  const { keys, names, store } = deps
  const { receivedAtMs = store.clock.nowMs() } = request
  const ours =
    readRefreshToken(request.refreshToken, keys.verifiers('refresh'), names) ??
    (await readWithNewKey(deps, 'refresh', request.refreshToken, readRefreshToken))
  const claims = ours ?? (await exchangeLegacyToken(deps, request))
  if (isDenial(claims)) {
    deps.events.refresh('refused')
    return claims
  }
  // The store keeps only a hash, so that a reader of the database finds no key to present.
  const attemptKey = request.attemptKey === null ? null : shortHash(request.attemptKey)
  const refreshing = store.refreshSession({
    presented: { ...claims, attemptKey },
    decide: request.application === null ? decideWithoutKey : decideRefresh,
    kid: keys.signer('refresh').kid,
    applicationId: request.application?.applicationId ?? null,
    deadlineMs: receivedAtMs + LIMITS.decisionMs,
  })
  const outcome = await told(refreshing, (decided) => {
    deps.events.refresh(resultOf(decided.decision))
    if (decided.decision.kind === 'deny' && decided.decision.denial === WRONG_APPLICATION)
      deps.events.unknownKey(request.address)
    if (decided.decision.kind !== 'end') return
    const { accountId, sessionId } = claims
    const by = { accountId, sessionId, address: request.address }
    deps.events.action({ ...by, code: 'Auth->SessionEnded', message: 'reuse', isSuspicious: true })
  })
  if (outcome.view === null) return denialWithoutSession(deps, claims.accountId)
  return outcome.decision.kind === 'end' ? deny('session-over', 'reuse') : answer(deps, outcome)
}

/** The decision about a token that came without an application key: a policy may demand the key with every refresh. */
const decideWithoutKey: Decide = (view, presented, nowMs) =>
  view.application?.requireKeyOnRefresh === true
    ? { kind: 'deny', denial: deny('credential-missing') }
    : decideRefresh(view, presented, nowMs)

const RESULTS: Record<RefreshDecision['kind'], RefreshResult> = {
  deny: 'refused',
  keep: 'kept',
  advance: 'advanced',
  repeat: 'repeated',
  end: 'reuse',
}

function resultOf(decision: RefreshDecision): RefreshResult {
  return decision.kind === 'advance' && decision.recovered ? 'recovered' : RESULTS[decision.kind]
}

async function answer(deps: Deps, outcome: RefreshOutcome): Promise<Refreshed | Denial> {
  const { decision, view, nowMs } = outcome
  if (decision.kind === 'deny') return decision.denial
  if (view === null || view.account === null || view.application === null) {
    throw new Error('a session was refreshed without its account and application')
  }
  const { keys, names } = deps
  const ttlSeconds = accessTtlSeconds(view.session, view.application, nowMs)
  const access = mintAccessToken(keys.signer('access'), names, view.session, view.account, ttlSeconds, nowMs)
  const { token: accessToken, expiresAtSeconds } = access
  if (decision.kind === 'keep') return { accessToken, expiresAtSeconds, refreshToken: null }
  const refreshKey = await keys.refreshKey(view.session.kid)
  return { accessToken, expiresAtSeconds, refreshToken: mintRefreshToken(refreshKey, names, view.session) }
}
