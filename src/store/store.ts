/**
 * The store: domain verbs, each with its guarantee beside it. Two engines keep them alike, SQLite and PostgreSQL;
 * `test/store/suite.ts` holds both to every sentence written here.
 *
 * For all verbs: what is answered is committed and durable; a check and the write that rests on it are one
 * transaction; a store that cannot answer throws `StoreUnavailable`, and nothing of the call has happened or ever
 * will, unless the connection broke while committing, or it says `Unjournaled`.
 */
import type { Account, AccountStatus, NewAccount, RoleId } from '../core/account.ts'
import type { Application, Policy } from '../core/application.ts'
import type { Leap } from '../core/leaps.ts'
import type { PresentedToken, RefreshDecision } from '../core/refresh.ts'
import type { EndReason, NewSession, Session, SessionView } from '../core/session.ts'
import type { ActionStore } from './action-store.ts'
import type { GuardStore } from './guard-store.ts'
import type { LegacyStore } from './legacy-store.ts'
import type { RecoveryStore } from './recovery-store.ts'

/** The store cannot answer now: full, read-only, locked, disconnected, too slow. Faces say 503. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'
}

/** The verb has happened and came to `outcome`, but the journal lacks it: nobody may be told yet that it was done. */
export class Unjournaled extends StoreUnavailable {
  readonly outcome: unknown
  constructor(outcome: unknown, cause: unknown) {
    super((cause as Error).message, { cause })
    this.outcome = outcome
  }
}

/** The store's clock, the only one that decides about sessions. Never steps back within a process. */
export interface Clock {
  nowMs(): number
  /** The latest steps forward that it has followed, oldest first; none if it is left out. */
  leaps?(): readonly Leap[]
}

export interface AccountWithPassword extends Account {
  readonly passwordHash: string
}

/** What is to change of an account; what is left out stays. */
export interface AccountChange {
  readonly firstName?: string
  readonly lastName?: string
  readonly email?: string
  readonly phone?: string
  readonly comment?: string | null
  readonly roleId?: RoleId
  readonly status?: AccountStatus
  readonly passwordHash?: string
}

export interface ChangeOptions {
  /** Only if the account still has this version; otherwise `conflict`. */
  readonly ifVersion?: number
  /** End the account's sessions for this reason, in the same transaction; all but one, if `exceptSessionId` names it. */
  readonly endSessions?: { readonly reason: EndReason; readonly exceptSessionId: string | null }
  /** Silent changes, such as a better hash of the same password, leave version and date of update alone. */
  readonly silent?: boolean
}

export type ChangeOutcome =
  | { readonly kind: 'changed'; readonly account: Account; readonly endedSessions: readonly string[] }
  | { readonly kind: 'unknown' | 'terminated' | 'email-taken' | 'last-super-admin' | 'conflict' }

/** An account to be taken over from elsewhere, with its id and dates where it had them. */
export interface ImportedAccount extends NewAccount {
  readonly accountId: number | null
  readonly registeredAtMs: number | null
  readonly updatedAtMs: number | null
  readonly lastSignInAtMs: number | null
  /** It comes from the original, with its id: refresh tokens that the original issued to it are taken. */
  readonly takesLegacyTokens?: boolean
}

export type ImportOutcome =
  | { readonly kind: 'imported'; readonly count: number }
  | { readonly kind: 'refused'; readonly index: number; readonly why: 'email-taken' | 'id-taken' }

export type OpenSessionOutcome =
  | {
      readonly kind: 'opened'
      readonly session: Session
      readonly account: Account
      /** The sign-in before this one. */
      readonly previousSignInAtMs: number | null
      /** Sessions that had to make room for this one (the cap of live sessions per account). */
      readonly endedSessions: readonly string[]
    }
  /** The account or the application changed since it was looked at: look again. */
  | { readonly kind: 'stale' }

export interface OpenSession extends NewSession {
  /** The version of the account whose password was checked; a sign-in that raced a change of it does not survive. */
  readonly accountVersion: number
  readonly maxLiveSessions: number
}

/** Asked with the committed row; pure, and asked again when another writer was faster. */
export type Decide = (view: SessionView, presented: PresentedToken, nowMs: number) => RefreshDecision

export interface RefreshRequest {
  readonly presented: PresentedToken
  readonly decide: Decide
  /** Signs the token of an advance. */
  readonly kid: string
  /** The application whose key came along; null when none was sent. A session of another application is none. */
  readonly applicationId: number | null
  /** After this time of the store's clock nothing may be written any more. */
  readonly deadlineMs: number
}

export interface RefreshOutcome {
  readonly decision: RefreshDecision
  /** As it is after the decision; null when there is no such session. */
  readonly view: SessionView | null
  readonly nowMs: number
}

export interface SessionListing extends Session {
  readonly amr: readonly string[]
  readonly address: string
  readonly userAgent: string | null
  readonly deviceId: string | null
}

export type KeyPurpose = 'access' | 'refresh' | 'device'

/** A signing key as stored: the secret part is encrypted under the master secret, in `sealed`. */
export interface StoredKey {
  readonly kid: string
  readonly purpose: KeyPurpose
  readonly algorithm: string
  readonly sealed: Uint8Array
  readonly createdAtMs: number
  /** Signs from then on, while it is the youngest of its purpose and algorithm that is active. */
  readonly activeAtMs: number
  /** Verifies until then; null while it may still sign. */
  readonly retireAtMs: number | null
}

export interface ApplicationKey {
  /** SHA-256 of the key, base64url. Keys are long and random, so a fast hash is enough. */
  readonly keyHash: string
  readonly applicationId: number
  readonly createdAtMs: number
  /** Refused from then on; null for no end. */
  readonly expiresAtMs: number | null
}

export type NewApplication = Omit<Application, 'applicationId' | 'epoch' | 'disabled'>
export type ApplicationChange = Partial<Policy & Pick<Application, 'name' | 'trustedBackend' | 'disabled'>>

export interface AccountStore {
  /** Registers an account. E-mail addresses are unique without regard to case, by the database. */
  createAccount(account: NewAccount): Promise<Account | 'email-taken'>
  findAccount(accountId: number): Promise<Account | null>
  findAccountByEmail(email: string): Promise<AccountWithPassword | null>
  findAccountWithPassword(accountId: number): Promise<AccountWithPassword | null>
  /** The hashes of at most `count` accounts, spread over all of them. */
  samplePasswordHashes(count: number): Promise<readonly string[]>
  /** Accounts by id. */
  listAccounts(offset: number, limit: number): Promise<readonly Account[]>
  /**
   * Changes an account. A terminated account is not changed any more. The last active super admin stays one.
   * Every change of password or status raises `version`. Sessions are ended in the same transaction, with the
   * ids that were ended in the outcome.
   */
  changeAccount(accountId: number, change: AccountChange, options?: ChangeOptions): Promise<ChangeOutcome>
  /** All of them, or none. */
  importAccounts(accounts: readonly ImportedAccount[]): Promise<ImportOutcome>
}

export interface SessionStore {
  /**
   * Opens a session and sets the account's date of sign-in, on condition that the account's version is the one that
   * was checked and that account and application are active. More than `maxLiveSessions`: the longest unused end.
   */
  openSession(request: OpenSession): Promise<OpenSessionOutcome>
  /**
   * Decides about a presented refresh token and carries that out, one step for every other writer; requests that arrive
   * together share it. Without a limit of rest, a *keep* may be answered before its date of last use is written.
   */
  refreshSession(request: RefreshRequest): Promise<RefreshOutcome>
  /** A session with its whole account and its application as they are committed now. */
  readSession(sessionId: string): Promise<SessionView<Account> | null>
  /** The sessions of an account, newest first: those that have not ended, and where `limit` leaves room the newest that have. */
  listSessions(accountId: number, limit: number): Promise<readonly SessionListing[]>
  /** Ends one session of an account. False if the account has no such session or it has ended before. */
  endSession(accountId: number, sessionId: string, reason: EndReason): Promise<boolean>
  /** Ends all live sessions of an account, and makes sign-ins that are under way fail. Ids of the ended. */
  endSessions(accountId: number, reason: EndReason): Promise<readonly string[]>
  /** Removes at most `limit` sessions whose absolute end has passed. How many it removed. */
  removeExpiredSessions(limit: number): Promise<number>
}

export interface ApplicationStore {
  /** The application that a key opens, disabled or not; null for an unknown or expired key. */
  findApplicationByKey(keyHash: string): Promise<Application | null>
  findApplication(applicationId: number): Promise<Application | null>
  listApplications(): Promise<readonly Application[]>
  createApplication(
    application: NewApplication,
    keyHash: string | null,
  ): Promise<Application | 'client-id-taken'>
  /** Disabling raises the epoch, which ends all sessions of the application at once. Null if there is none. */
  changeApplication(applicationId: number, change: ApplicationChange): Promise<Application | null>
  /** Adds a key; the others end at `othersExpireAtMs`, if it is given and they do not end before. */
  addApplicationKey(applicationId: number, keyHash: string, othersExpireAtMs: number | null): Promise<void>
  /** Makes the default application unless there is one; whether it did. */
  addDefaultApplication(application: NewApplication, keyHash: string): Promise<boolean>
  /**
   * Makes the default application what the settings say, creating it at the first start. Null, and nothing is changed, when the
   * key is one of another application's, ended or not.
   */
  putDefaultApplication(application: NewApplication, keyHash: string): Promise<PutApplication | null>
}

export interface PutApplication {
  readonly application: Application
  /** How many other keys opened it until then. */
  readonly replacedKeys: number
}

export interface KeyStore {
  listKeys(): Promise<readonly StoredKey[]>
  /** Adds a key unless one of its purpose and algorithm exists already, so that instances that start together agree. */
  addFirstKey(key: StoredKey): Promise<void>
  /**
   * Adds a key beside the others; those that may still sign retire at `othersRetireAtMs`, refresh keys not before the last
   * session there is has ended: policies may have been longer when it was opened.
   */
  rotateKey(key: StoredKey, othersRetireAtMs: number): Promise<void>
  /** Sets `retireAtMs` on the keys of a purpose whose algorithm is not `algorithm` and which have no retirement time yet. */
  retireOtherAlgorithms(purpose: KeyPurpose, algorithm: string, retireAtMs: number): Promise<void>
  removeRetiredKeys(): Promise<readonly string[]>
}

export interface Store
  extends AccountStore,
    SessionStore,
    ApplicationStore,
    KeyStore,
    GuardStore,
    RecoveryStore,
    ActionStore,
    LegacyStore {
  readonly engine: 'sqlite' | 'postgres'
  readonly clock: Clock
  /** Whether one more refresh would be accepted, for refusing early and cheaply. May run queued work to make room. */
  hasRoomToRefresh(): boolean
  /** Answers if the store can be read and written now, throws `StoreUnavailable` if not. */
  check(): Promise<void>
  /** What is unwise about the store as it is set up; empty when all is well. For `doctor` and the start. */
  inspect(options?: { readonly deep?: boolean }): Promise<readonly string[]>
  close(): Promise<void>
}

export interface OpenedStore {
  readonly store: Store
  /** Names of the migrations that this opening applied. */
  readonly applied: readonly string[]
}
