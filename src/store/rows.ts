/**
 * How rows become domain objects, for both engines: the column lists of the selects and the readers of their rows
 * (arrays in that order, which is measurably cheaper than objects on the refresh path).
 */
import { type Account, type AccountStatus, ROLE, type RoleId, STATUS } from '../core/account.ts'
import type { Application } from '../core/application.ts'
import type { EndReason, Session, SessionAccount } from '../core/session.ts'
import type { Instance } from './journal.ts'
import type { EndedSession } from './recovery-store.ts'
import type { FoundHash, AccountWithPassword, KeyPurpose, SessionListing, StoredKey } from './store.ts'

/** A row as both drivers give it when asked for arrays. SQLite has 0 and 1 where PostgreSQL has booleans. */
export type Row = readonly unknown[]

/** The columns of an account that a refresh needs. */
const SESSION_ACCOUNT = ['account_id', 'first_name', 'last_name', 'email', 'role_id', 'status']
const ACCOUNT = [
  ...SESSION_ACCOUNT,
  'phone',
  'comment',
  'pin_code',
  'version',
  'registered_at_ms',
  'updated_at_ms',
  'last_sign_in_at_ms',
]
const APPLICATION = [
  'application_id',
  'client_id',
  'name',
  'type',
  'disabled',
  'epoch',
  'trusted_backend',
  'rotation',
  'parallel_window_seconds',
  'retry_window_seconds',
  'idle_seconds',
  'session_ttl_seconds',
  'access_token_ttl_seconds',
  'require_key_on_refresh',
]
const SESSION = [
  'session_id',
  'account_id',
  'application_id',
  'application_epoch',
  'rotation',
  'generation',
  'rotated_at_ms',
  'handed_out_at_ms',
  'kid',
  'attempt_key',
  'repeats',
  'created_at_ms',
  'expires_at_ms',
  'last_used_at_ms',
  'ended_at_ms',
  'end_reason',
]
const DEVICE = ['amr', 'address', 'user_agent', 'device_id']
const KEY = ['kid', 'purpose', 'algorithm', 'sealed', 'created_at_ms', 'active_at_ms', 'retire_at_ms']

const of = (alias: string, columns: readonly string[]) => columns.map((c) => `${alias}.${c}`).join(', ')

export const ACCOUNT_COLUMNS = ACCOUNT.join(', ')
export const ACCOUNT_WITH_PASSWORD_COLUMNS = `${ACCOUNT_COLUMNS}, password_hash`
export const APPLICATION_COLUMNS = of('p', APPLICATION)
/** For `returning`, where SQLite does not know the alias. */
export const RETURNED_APPLICATION_COLUMNS = APPLICATION.join(', ')
export const KEY_COLUMNS = KEY.join(', ')
export const SESSION_COLUMNS = SESSION.join(', ')
export const ACCOUNT_WIDTH = ACCOUNT.length
export const SESSION_WIDTH = SESSION.length
export const SESSION_ACCOUNT_WIDTH = SESSION_ACCOUNT.length
const LISTING_COLUMNS = `${of('s', SESSION)}, ${of('d', DEVICE)}`
/** Sessions with all columns of their accounts. */
export const SESSION_AND_ACCOUNT_COLUMNS = `${of('s', SESSION)}, ${of('a', ACCOUNT)}`
/** Sessions with the columns of their accounts that a refresh needs. */
export const SESSION_VIEW_COLUMNS = `${of('s', SESSION)}, ${of('a', SESSION_ACCOUNT)}`
/** The join for both column lists. */
export const SESSION_VIEW_SOURCE = 'sessions s left join accounts a on a.account_id = s.account_id'

/** SQL that is true for an active super admin. Without parameters, because the index `accounts_super_admins` has none. */
export const IS_ACTIVE_SUPER_ADMIN = `role_id = ${ROLE.superAdmin} and status = ${STATUS.active}`

/** An account's sessions, newest first: the live ones, and the newest others for which `limit` leaves room. */
export function listingSql(accountId: string, limit: string): string {
  const those = (condition: string) =>
    `select ${LISTING_COLUMNS} from sessions s join session_devices d on d.session_id = s.session_id
     where s.account_id = ${accountId} and s.ended_at_ms is ${condition}`
  const ended = `select * from (${those('not null')} order by s.created_at_ms desc limit ${limit}) ended`
  const newest = 'created_at_ms desc, session_id'
  return `select * from (
      select * from (${those('null')} union all ${ended}) listed order by ended_at_ms is null desc, ${newest} limit ${limit}) chosen
    order by ${newest}`
}

/** SQL for `lastUseGrainMs` of `core/session.ts`, where application `p` has an idle limit. */
const LAST_USE_GRAIN_MS = 'case when p.idle_seconds < 3000 then p.idle_seconds * 100 else 300000 end'

/**
 * SQL that is true if the application of session `s`, which has not ended, would still serve it. When an account has
 * too many sessions, those no longer served make room first. `now` is a parameter, in milliseconds.
 */
export function isServed(now: string): string {
  return `exists (select 1 from applications p where p.application_id = s.application_id
    and not p.disabled and p.epoch = s.application_epoch
    and s.created_at_ms + p.session_ttl_seconds * 1000 > ${now}
    and (p.idle_seconds = 0 or s.last_used_at_ms + p.idle_seconds * 1000 + ${LAST_USE_GRAIN_MS} >= ${now}))`
}

export function accountFrom(row: Row): Account {
  return {
    ...sessionAccountFrom(row),
    phone: row[6] as string,
    comment: row[7] as string | null,
    pinCode: row[8] as string | null,
    version: row[9] as number,
    registeredAtMs: row[10] as number,
    updatedAtMs: row[11] as number | null,
    lastSignInAtMs: row[12] as number | null,
  }
}

/** Null without a row. */
export function accountWithPasswordFrom(row: Row | undefined): AccountWithPassword | null {
  return row === undefined ? null : { ...accountFrom(row), passwordHash: row[ACCOUNT.length] as string }
}

/** Reads the id that was looked for, `account_id, password_hash`. */
export function passwordHashFrom([from, accountId, passwordHash]: Row): FoundHash {
  return {
    from: from as number,
    accountId: accountId as number,
    passwordHash: passwordHash as string,
  }
}

export function applicationFrom(row: Row): Application {
  return {
    applicationId: row[0] as number,
    clientId: row[1] as string,
    name: row[2] as string,
    type: row[3] as Application['type'],
    disabled: Boolean(row[4]),
    epoch: row[5] as number,
    trustedBackend: Boolean(row[6]),
    rotation: Boolean(row[7]),
    parallelWindowSeconds: row[8] as number,
    retryWindowSeconds: row[9] as number,
    idleSeconds: row[10] as number,
    sessionTtlSeconds: row[11] as number,
    accessTokenTtlSeconds: row[12] as number,
    requireKeyOnRefresh: Boolean(row[13]),
  }
}

export function sessionFrom(row: Row): Session {
  return {
    sessionId: row[0] as string,
    accountId: row[1] as number,
    applicationId: row[2] as number,
    applicationEpoch: row[3] as number,
    rotation: Boolean(row[4]),
    generation: row[5] as number,
    rotatedAtMs: row[6] as number,
    handedOutAtMs: row[7] as number,
    kid: row[8] as string,
    attemptKey: row[9] as string | null,
    repeats: row[10] as number,
    createdAtMs: row[11] as number,
    expiresAtMs: row[12] as number,
    lastUsedAtMs: row[13] as number,
    endedAtMs: row[14] as number | null,
    endReason: row[15] as EndReason | null,
  }
}

/** The row that `sessionFrom` reads. */
export function sessionRow(session: Session): Row {
  return [
    session.sessionId,
    session.accountId,
    session.applicationId,
    session.applicationEpoch,
    session.rotation ? 1 : 0,
    session.generation,
    session.rotatedAtMs,
    session.handedOutAtMs,
    session.kid,
    session.attemptKey,
    session.repeats,
    session.createdAtMs,
    session.expiresAtMs,
    session.lastUsedAtMs,
    session.endedAtMs,
    session.endReason,
  ]
}

export function sessionAccountFrom(row: Row): SessionAccount {
  return {
    accountId: row[0] as number,
    firstName: row[1] as string,
    lastName: row[2] as string,
    email: row[3] as string,
    roleId: row[4] as RoleId,
    status: row[5] as AccountStatus,
  }
}

export function listingFrom(row: Row): SessionListing {
  const at = SESSION.length
  return {
    ...sessionFrom(row),
    amr: (row[at] as string).split(' '),
    address: row[at + 1] as string,
    userAgent: row[at + 2] as string | null,
    deviceId: row[at + 3] as string | null,
  }
}

export function keyFrom(row: Row): StoredKey {
  return {
    kid: row[0] as string,
    purpose: row[1] as KeyPurpose,
    algorithm: row[2] as string,
    sealed: row[3] as Uint8Array,
    createdAtMs: row[4] as number,
    activeAtMs: row[5] as number,
    retireAtMs: row[6] as number | null,
  }
}

/** How many application keys, in rows of `expires_at_ms`, were valid at `nowMs`. */
export function countValidKeys(rows: readonly Row[], nowMs: number): number {
  return rows.filter(([expiresAtMs]) => expiresAtMs === null || (expiresAtMs as number) > nowMs).length
}

/** Reads `instance_id, last_seen_at_ms, writes`. */
export function instanceFrom([instanceId, lastSeenAtMs, writes]: Row): Instance {
  return {
    instanceId: instanceId as string,
    lastSeenAtMs: lastSeenAtMs as number,
    writes: writes as number,
  }
}

/** Reads `session_id, end_reason, ended_at_ms`. */
export function endedFrom([sessionId, reason, endedAtMs]: Row): EndedSession {
  return {
    sessionId: sessionId as string,
    reason: reason as EndReason,
    endedAtMs: endedAtMs as number,
  }
}
