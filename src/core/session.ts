/** A session: one sign-in of one account at one application. `docs/refresh.md` explains the protocol around it. */
import { type AccountStatus, type RoleId, STATUS } from './account.ts'
import type { Application } from './application.ts'
import { type Denial, NO_SESSION, deny } from './denial.ts'

/** Why a session was ended. Written once: the reason of the first end stays. */
export type EndReason =
  | 'signed-out'
  | 'ended-by-user'
  | 'ended-by-administrator'
  | 'password-changed'
  | 'suspended'
  | 'terminated'
  | 'deactivated'
  | 'reuse'
  | 'session-limit'
  | 'application-disabled'
  | 'store-restored'

/** The columns that a decision about a session needs. Times are milliseconds since 1970, by the store's clock. */
export interface Session {
  readonly sessionId: string
  readonly accountId: number
  readonly applicationId: number
  /** The application's epoch at sign-in; disabling an application raises it and so ends all its sessions at once. */
  readonly applicationEpoch: number
  /** Fixed at sign-in from the application's policy. */
  readonly rotation: boolean
  readonly generation: number
  readonly rotatedAtMs: number
  /**
   * When the token of the current generation was last handed to a client that did not have it, or when a restored store
   * was recovered.
   */
  readonly handedOutAtMs: number
  /** The key that signs the refresh token of the current generation. */
  readonly kid: string
  /** SHA-256 of the `Idempotency-Key` that the last rotation remembers, in base64url, cut to 22 characters (132 bits). */
  readonly attemptKey: string | null
  /** How often the token of the current generation was sent again because of its attempt key (case 5a). */
  readonly repeats: number
  readonly createdAtMs: number
  /** The absolute end, a whole second. */
  readonly expiresAtMs: number
  readonly lastUsedAtMs: number
  readonly endedAtMs: number | null
  readonly endReason: EndReason | null
}

/** The data of a new session; the store adds the times of its clock. */
export interface NewSession {
  readonly sessionId: string
  readonly accountId: number
  readonly application: Application
  readonly kid: string
  /** Authentication methods (RFC 8176), for example `pwd`. */
  readonly amr: readonly string[]
  readonly device: Device
}

/** Facts about the client at sign-in; shown to the user, never trusted. */
export interface Device {
  readonly address: string
  readonly userAgent: string | null
  readonly deviceId: string | null
}

/** The part of an account that decisions about its sessions and the claims of access tokens need. */
export interface SessionAccount {
  readonly accountId: number
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  readonly roleId: RoleId
  readonly status: AccountStatus
}

/** A session with its account and application as they are now; the account is null if it no longer exists. */
export interface SessionView<A extends SessionAccount = SessionAccount> {
  readonly session: Session
  readonly account: A | null
  readonly application: Application | null
}

/**
 * By how much `last_used_at` may lag behind the real last use. It is kept coarsely, so that a refresh without rotation
 * does not always write the session. In milliseconds: six hours without an idle limit, else a tenth of the limit, at
 * most five minutes.
 */
export function lastUseGrainMs(idleSeconds: number): number {
  return idleSeconds === 0 ? 21_600_000 : Math.min(300_000, Math.ceil(idleSeconds * 100))
}

/** A session whose recorded last use is before this time has been idle for too long at `atMs`; 0 means no limit. */
export function idleBeforeMs(idleSeconds: number, atMs: number): number {
  return idleSeconds === 0 ? 0 : atMs - idleSeconds * 1000 - lastUseGrainMs(idleSeconds)
}

/** The absolute end under the present policy: a shortened lifetime binds live sessions, a lengthened one does not. */
export function sessionEndMs(session: Session, application: Application): number {
  return Math.min(session.expiresAtMs, session.createdAtMs + application.sessionTtlSeconds * 1000)
}

/** The absolute end of a new session: a whole second, so that the token's `exp` says exactly what the row says. */
export function newSessionEndMs(application: Application, nowMs: number): number {
  return (Math.floor(nowMs / 1000) + application.sessionTtlSeconds) * 1000
}

/** The lifetime of a new access token, in seconds: as the application's policy sets it, up to the session's end. */
export function accessTtlSeconds(session: Session, application: Application, nowMs: number): number {
  const leftSeconds = Math.floor(sessionEndMs(session, application) / 1000) - Math.floor(nowMs / 1000)
  return Math.min(application.accessTokenTtlSeconds, leftSeconds)
}

/**
 * Why a session may not be used at `nowMs` by the account that presents it; null if it may.
 * The account is checked before the session (contract, section 5): the holder of an account that is not active is told
 * so, even if the session has ended.
 */
export function sessionDenial(view: SessionView, accountId: number, nowMs: number): Denial | null {
  const { session, account, application } = view
  if (session.accountId !== accountId) return NO_SESSION
  if (account === null) return deny('account-unknown')
  if (account.status !== STATUS.active) return deny('account-inactive')
  if (session.endedAtMs !== null) return deny('session-over', session.endReason ?? 'unknown')
  if (application === null || application.disabled || application.epoch !== session.applicationEpoch) {
    return deny('session-over', 'application-disabled')
  }
  if (nowMs >= sessionEndMs(session, application)) return deny('session-over', 'expired')
  if (session.lastUsedAtMs < idleBeforeMs(application.idleSeconds, nowMs)) {
    return deny('session-over', 'idle')
  }
  return null
}
