/** Builders of the arguments of pure decisions; a test states only the fields that it is about. */
import type { Application } from '../../src/core/application.ts'
import type { PresentedToken } from '../../src/core/refresh.ts'
import type { Session, SessionAccount, SessionView } from '../../src/core/session.ts'

/** The moment at which the sessions below were opened and last rotated. */
export const T0 = Date.UTC(2026, 0, 15, 12)

export function aSession(over: Partial<Session> = {}): Session {
  return {
    sessionId: 'session-1',
    accountId: 7,
    applicationId: 1,
    applicationEpoch: 1,
    rotation: true,
    generation: 5,
    rotatedAtMs: T0,
    handedOutAtMs: T0,
    kid: 'key-1',
    attemptKey: null,
    repeats: 0,
    createdAtMs: T0,
    expiresAtMs: T0 + 30 * 86_400_000,
    lastUsedAtMs: T0,
    endedAtMs: null,
    endReason: null,
    ...over,
  }
}

export function anAccount(over: Partial<SessionAccount> = {}): SessionAccount {
  const person = { firstName: 'Ani', lastName: 'Sarkis', email: 'ani@example.com' }
  return { accountId: 7, ...person, roleId: 4, status: 1, ...over }
}

export function anApplication(over: Partial<Application> = {}): Application {
  return {
    applicationId: 1,
    clientId: 'default',
    name: 'Default application',
    type: 'confidential',
    disabled: false,
    epoch: 1,
    trustedBackend: false,
    rotation: true,
    parallelWindowSeconds: 20,
    retryWindowSeconds: 60,
    idleSeconds: 0,
    sessionTtlSeconds: 30 * 86_400,
    accessTokenTtlSeconds: 900,
    requireKeyOnRefresh: false,
    ...over,
  }
}

export function aView(session: Partial<Session> = {}, application: Partial<Application> = {}): SessionView {
  return { session: aSession(session), account: anAccount(), application: anApplication(application) }
}

/** The token of a generation, with an attempt key or without. */
export function presented(generation: number, attemptKey: string | null = null): PresentedToken {
  return { sessionId: 'session-1', accountId: 7, generation, attemptKey }
}
