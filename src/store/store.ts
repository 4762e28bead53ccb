/**
 * The store: domain verbs, each with its guarantees. Both engines, SQLite and PostgreSQL, give the same ones;
 * `test/store/suite.ts` holds both to every sentence written here.
 *
 * For all verbs: what is answered is committed and durable; a check and the write that rests on it are one transaction;
 * a store that cannot answer throws `StoreUnavailable`, and nothing of the call has happened or ever will, unless the
 * connection broke during the commit, the error is `Unjournaled`, or SQLite could not sync the commit to its log and the
 * process is killed before its next commit: then the next start finds the commit in the log.
 */
import type { Account, AccountChange, NewAccount } from '../core/account.ts'
import type { Application, ApplicationChange } from '../core/application.ts'
import type { Leap } from '../core/leaps.ts'
import type { PresentedToken, RefreshDecision } from '../core/refresh.ts'
import type { EndReason, NewSession, Session, SessionView } from '../core/session.ts'
import type { ActionStore } from './action-store.ts'
import type { GuardStore } from './guard-store.ts'
import type { LegacyStore } from './legacy-store.ts'
import type { RecoveryStore } from './recovery-store.ts'

/**
 * The store cannot answer now: full, read-only, locked, disconnected or too slow. Faces answer 503. Nothing has happened,
 * with the exceptions named at the top of this file.
 */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'
}

/** The verb is committed with `outcome`, but is not in the journal: no client may be told yet that it was done. */
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
  /** The latest forward steps that the clock has followed, oldest first; without this method, none. */
  leaps?(): readonly Leap[]
}

export interface AccountWithPassword extends Account {
  readonly passwordHash: string
}

export interface ChangeOptions {
  /** Only if the account still has this version; otherwise `conflict`. */
  readonly ifVersion?: number
  /** End the account's sessions for this reason, in the same transaction, except `exceptSessionId`. */
  readonly endSessions?: { readonly reason: EndReason; readonly exceptSessionId: string | null }
  /** The caller sets the present password again. An earlier call may have set it, and failed after its commit. */
  readonly keepsPassword?: boolean
  /** A silent change, such as a better hash of the same password, leaves version and date of update unchanged. */
  readonly silent?: boolean
}

export type ChangeOutcome =
  | { readonly kind: 'changed'; readonly account: Account; readonly endedSessions: readonly string[] }
  | { readonly kind: 'unknown' | 'terminated' | 'email-taken' | 'last-super-admin' | 'conflict' }

/** An account to be imported, with its id and dates if it had any. */
export interface ImportedAccount extends NewAccount {
  readonly accountId: number | null
  readonly registeredAtMs: number | null
  readonly updatedAtMs: number | null
  readonly lastSignInAtMs: number | null
  /** The account comes from the PHP original, with its id: its refresh tokens from there are accepted. */
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
      /** Sessions that made room for this one under the cap of live sessions per account. */
      readonly endedSessions: readonly string[]
    }
  /** The account or the application has changed since the caller read it: read it again. */
  | { readonly kind: 'stale' }

export interface OpenSession extends NewSession {
  /** The version of the account whose password was checked; after a change of it the sign-in is `stale`. */
  readonly accountVersion: number
  readonly maxLiveSessions: number
}

/** Decides on the committed row. Must be pure: it is called again when another writer was faster. */
export type Decide = (view: SessionView, presented: PresentedToken, nowMs: number) => RefreshDecision

export interface RefreshRequest {
  readonly presented: PresentedToken
  readonly decide: Decide
  /** The key that signs the new refresh token if the decision is `advance`. */
  readonly kid: string
  /** The application whose key the client sent, or null. A session of another application is refused. */
  readonly applicationId: number | null
  /** Nothing may be written after this time, by the store's clock. */
  readonly deadlineMs: number
}

export interface RefreshOutcome {
  readonly decision: RefreshDecision
  /** The view after the decision; null if there is no such session. */
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
  /** Signs from then on, while it is the youngest active key of its purpose and algorithm. */
  readonly activeAtMs: number
  /** Verifies until then; null while it may still sign. */
  readonly retireAtMs: number | null
}

export type NewApplication = Omit<Application, 'applicationId' | 'epoch' | 'disabled'>

/** The hash of the first account from the id `from` on. */
export interface FoundHash {
  readonly from: number
  readonly accountId: number
  readonly passwordHash: string
}

export interface AccountStore {
  /** Registers an account. The database keeps e-mail addresses unique, ignoring case. */
  createAccount(account: NewAccount): Promise<Account | 'email-taken'>
  findAccount(accountId: number): Promise<Account | null>
  findAccountByEmail(email: string): Promise<AccountWithPassword | null>
  findAccountWithPassword(accountId: number): Promise<AccountWithPassword | null>
  /** 0 if there is no account. */
  greatestAccountId(): Promise<number>
  /** For each id, the first account that has it or a greater one; none for an id that is greater than all. */
  passwordHashesFrom(ids: readonly number[]): Promise<readonly FoundHash[]>
  /** Accounts in the order of their ids. */
  listAccounts(offset: number, limit: number): Promise<readonly Account[]>
  /**
   * Changes an account. A terminated account is not changed any more. The last active super admin stays one. Every
   * change of password or status raises `version`, unless it is silent. Sessions end in the same transaction; the
   * outcome has their ids.
   */
  changeAccount(accountId: number, change: AccountChange, options?: ChangeOptions): Promise<ChangeOutcome>
  /** Imports all of the accounts, or none. */
  importAccounts(accounts: readonly ImportedAccount[]): Promise<ImportOutcome>
}

export interface SessionStore {
  /**
   * Opens a session and sets the account's date of sign-in, if the account still has `accountVersion` and account and
   * application are active. Above `maxLiveSessions`, others end: those no longer served, then the longest unused.
   */
  openSession(request: OpenSession): Promise<OpenSessionOutcome>
  /**
   * Decides about a presented refresh token and carries the decision out, atomically for all other writers; requests
   * that arrive together share a transaction. Without an idle limit, a `keep` may be answered before its date of last
   * use is written.
   */
  refreshSession(request: RefreshRequest): Promise<RefreshOutcome>
  /** A session with its whole account and its application, as committed now. */
  readSession(sessionId: string): Promise<SessionView<Account> | null>
  /** An account's sessions, newest first: those not ended, and the newest others for which `limit` leaves room. */
  listSessions(accountId: number, limit: number): Promise<readonly SessionListing[]>
  /** Ends one session of an account. False if the account has no such session, or the session has ended before. */
  endSession(accountId: number, sessionId: string, reason: EndReason): Promise<boolean>
  /** Ends an account's live sessions, and makes its sign-ins under way fail. Returns the ids of the ended sessions. */
  endSessions(accountId: number, reason: EndReason): Promise<readonly string[]>
  /** Removes at most `limit` sessions whose absolute end has passed. Returns how many it removed. */
  removeExpiredSessions(limit: number): Promise<number>
}

export interface ApplicationStore {
  /** The application to which a key belongs, even if disabled; null for an unknown or expired key. */
  findApplicationByKey(keyHash: string): Promise<Application | null>
  findApplication(applicationId: number): Promise<Application | null>
  listApplications(): Promise<readonly Application[]>
  createApplication(
    application: NewApplication,
    keyHash: string | null,
  ): Promise<Application | 'client-id-taken'>
  /** Disabling raises the epoch, which ends all the application's sessions at once. Null if it does not exist. */
  changeApplication(applicationId: number, change: ApplicationChange): Promise<Application | null>
  /** Adds a key. The other keys expire at `othersExpireAtMs`, if given, unless they expire earlier. */
  addApplicationKey(applicationId: number, keyHash: string, othersExpireAtMs: number | null): Promise<void>
  /** Creates the default application unless it exists. Returns whether it did. */
  addDefaultApplication(application: NewApplication, keyHash: string): Promise<boolean>
  /**
   * Makes the default application what the settings say, creating it at the first start. If the key is another
   * application's, expired or not, changes nothing and returns null. `replacedKeys` is how many other keys of the
   * application were valid until then.
   */
  putDefaultApplication(
    application: NewApplication,
    keyHash: string,
  ): Promise<{ readonly replacedKeys: number } | null>
}

export interface KeyStore {
  listKeys(): Promise<readonly StoredKey[]>
  /** Adds a key unless one of its purpose and algorithm may still sign, so that instances starting together agree. */
  addFirstKey(key: StoredKey): Promise<void>
  /**
   * Adds a key. The others of its purpose and algorithm that may still sign retire at `othersRetireAtMs`, refresh keys
   * not before the absolute end of the last session there is: policies may have been longer when it was opened.
   */
  rotateKey(key: StoredKey, othersRetireAtMs: number): Promise<void>
  /** Sets `retireAtMs` on the keys of a purpose with another algorithm that have no retirement time yet. */
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
  /** Resolves if the store can be read and written now. @throws {StoreUnavailable} if not */
  check(): Promise<void>
  /** Describes what is unwise about the store's setup; empty if all is well. For `doctor` and the start. */
  inspect(options?: { readonly deep?: boolean }): Promise<readonly string[]>
  close(): Promise<void>
}

export interface OpenedStore {
  readonly store: Store
  /** Names of the migrations that this opening applied. */
  readonly applied: readonly string[]
}
