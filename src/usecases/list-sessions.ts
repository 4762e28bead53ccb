import type { Application } from '../core/application.ts'
import { STATUS } from '../core/account.ts'
import { type SessionOverReason } from '../core/denial.ts'
import { sessionDenial, sessionEndMs } from '../core/session.ts'
import { LIMITS } from '../settings/limits.ts'
import type { SessionListing } from '../store/store.ts'
import type { Deps } from './deps.ts'

/** A session as listings show it: with the reason it is over, null while it lives. */
export interface ListedSession extends SessionListing {
  readonly over: SessionOverReason | null
  /** When it ended; null while it lives, and where no time is known: idle for too long, or its application disabled. */
  readonly overAtMs: number | null
}

/** The sessions of an account, newest first, including ended ones while their rows exist. */
export async function listSessions(deps: Deps, accountId: number): Promise<readonly ListedSession[]> {
  const sessions = await deps.store.listSessions(accountId, LIMITS.sessionsListed)
  const applications = new Map((await deps.store.listApplications()).map((a) => [a.applicationId, a]))
  const nowMs = deps.store.clock.nowMs()
  return sessions.map((session) => listed(session, applications.get(session.applicationId) ?? null, nowMs))
}

function listed(session: SessionListing, application: Application | null, nowMs: number): ListedSession {
  // Stands for an active account: when an account stops being active, its sessions are ended in their own rows.
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
