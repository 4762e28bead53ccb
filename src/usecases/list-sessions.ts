import type { Application } from '../core/application.ts'
import { STATUS } from '../core/account.ts'
import { type SessionOverReason } from '../core/denial.ts'
import { sessionDenial, sessionEndMs } from '../core/session.ts'
import { LIMITS } from '../settings/limits.ts'
import type { SessionListing } from '../store/store.ts'
import type { Deps } from './deps.ts'

/** A session as people look at it: with the reason it is over, null while it lives. */
export interface ListedSession extends SessionListing {
  readonly over: SessionOverReason | null
  /** When it was over; null while it lives, and where only the application knows. */
  readonly overAtMs: number | null
}

/** The sessions of an account, newest first, those that are over included while their rows exist. */
export async function listSessions(deps: Deps, accountId: number): Promise<readonly ListedSession[]> {
  const sessions = await deps.store.listSessions(accountId, LIMITS.sessionsListed)
  const applications = new Map((await deps.store.listApplications()).map((a) => [a.applicationId, a]))
  const nowMs = deps.store.clock.nowMs()
  return sessions.map((session) => listed(session, applications.get(session.applicationId) ?? null, nowMs))
}

function listed(session: SessionListing, application: Application | null, nowMs: number): ListedSession {
  // Whether the account is active is not asked here: what ends with it has been ended in its row.
  const account = {
    accountId: session.accountId,
    firstName: '',
    lastName: '',
    email: '',
    roleId: 4,
    status: STATUS.active,
  } as const
  const denial = sessionDenial({ session, account, application }, session.accountId, nowMs)
  if (denial === null) return { ...session, over: null, overAtMs: null }
  const over = denial.reason ?? 'unknown'
  const expiredAtMs = over === 'expired' && application !== null ? sessionEndMs(session, application) : null
  return { ...session, over, overAtMs: session.endedAtMs ?? expiredAtMs }
}
