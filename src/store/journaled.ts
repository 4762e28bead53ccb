/** A store whose ends are also in the journal before they are acknowledged. */
import { STATUS } from '../core/account.ts'
import type { EndReason, NewSession } from '../core/session.ts'
import type { Journal, JournalEntry } from './journal.ts'
import { type Decide, type RefreshOutcome, type Store, Unjournaled } from './store.ts'

/** How long callers may retry after a 503; an end that is older than this counts as acknowledged. */
const RETRIED_MS = 600_000

/**
 * `store` with a journal behind every verb that ends something, and before those that add a key: one too many does no harm.
 * An end is committed first: a crash in between leaves one that nobody was told of. A verb that finds the end already there
 * writes it once more, since the try before may have failed between the two; and a start writes what is missing
 * (`missing-ends.ts`).
 */
export function journaled(store: Store, journal: Journal): Store {
  const now = () => store.clock.nowMs()
  const limitEnds = (ended: readonly string[]) =>
    ended.map((sessionId) => sessionEnd(sessionId, 'session-limit', now()))
  /** `outcome`, once the entries about it are durable. @throws {Unjournaled} */
  const written = async <T>(entries: readonly JournalEntry[], outcome: T): Promise<T> => {
    await journal.append(entries).catch((cause: unknown) => {
      throw new Unjournaled(outcome, cause)
    })
    return outcome
  }
  const madeRoom = async (outcome: { readonly endedSessions: readonly string[] }, by: NewSession) => {
    if (outcome.endedSessions.length === 0) return
    try {
      await written(limitEnds(outcome.endedSessions), outcome)
    } catch (error) {
      // Nobody gets the new one. Left alive, each further try would end one more of those that are in use.
      await store.endSession(by.accountId, by.sessionId, 'session-limit').catch(() => {})
      throw error
    }
  }
  /** The try before may have failed between database and journal. What ended longer ago has been acknowledged. */
  const endedBefore = async (accountId: number, sessionId: string) => {
    const session = (await store.readSession(sessionId))?.session
    if (session?.accountId !== accountId || session.endedAtMs === null || session.endReason === null) return
    const { endedAtMs, endReason } = session
    // Unless it still waits.
    if (now() - endedAtMs > RETRIED_MS) return journal.append([])
    await journal.append([sessionEnd(sessionId, endReason, endedAtMs)])
  }
  return {
    ...store,
    async endSession(accountId, sessionId, reason) {
      const ended = await store.endSession(accountId, sessionId, reason)
      if (ended) return written([sessionEnd(sessionId, reason, now())], true)
      await endedBefore(accountId, sessionId)
      return false
    },
    async endSessions(accountId, reason) {
      const ended = await store.endSessions(accountId, reason)
      const whose = { kind: 'account-sessions', accountId, sessionIds: ended } as const
      return written([{ ...whose, reason, exceptSessionId: null, atMs: now() }], ended)
    },
    async changeAccount(accountId, change, options) {
      const outcome = await store.changeAccount(accountId, change, options)
      const entries: JournalEntry[] = []
      if (outcome.kind === 'changed' && options?.endSessions !== undefined) {
        const whose = { kind: 'account-sessions', accountId, sessionIds: outcome.endedSessions } as const
        entries.push({ ...whose, ...options.endSessions, atMs: now() })
      }
      // That an account is active again too: of several changes the last one counts.
      if (outcome.kind === 'changed' && change.status !== undefined) {
        entries.push({ kind: 'account-status', accountId, status: change.status, atMs: now() })
      }
      if (outcome.kind === 'terminated' && change.status === STATUS.terminated) {
        entries.push({ kind: 'account-status', accountId, status: STATUS.terminated, atMs: now() })
      }
      return written(entries, outcome)
    },
    async openSession(request) {
      const outcome = await store.openSession(request)
      if (outcome.kind === 'opened') await madeRoom(outcome, request)
      return outcome
    },
    async openLegacySession(request) {
      const outcome = await store.openLegacySession(request)
      // The new one stays: its token opens no other, and asked again it ends no more.
      return outcome.kind === 'opened' ? written(limitEnds(outcome.endedSessions), outcome) : outcome
    },
    async refreshSession(request) {
      const { sessionId } = request.presented
      // As the last try decided.
      let ends: readonly JournalEntry[] = []
      const decide: Decide = (view, presented, nowMs) => {
        const decision = request.decide(view, presented, nowMs)
        ends = decision.kind === 'end' ? [sessionEnd(sessionId, 'reuse', nowMs)] : []
        return decision
      }
      let outcome: RefreshOutcome
      try {
        outcome = await store.refreshSession({ ...request, decide })
      } catch (error) {
        // Nobody waits for the answer any more, but an old token was presented, and its end may have been written.
        if (ends.length > 0) await journal.append(ends)
        throw error
      }
      return ends.length > 0 ? written(ends, outcome) : outcome
    },
    async changeApplication(applicationId, change) {
      const application = await store.changeApplication(applicationId, change)
      if (application !== null && change.disabled !== undefined) {
        const { disabled, epoch } = application
        return written([{ kind: 'application', applicationId, disabled, epoch, atMs: now() }], application)
      }
      return application
    },
    async addFirstKey(key) {
      await journal.append([{ kind: 'key', key, atMs: now() }])
      await store.addFirstKey(key)
    },
    async rotateKey(key, othersRetireAtMs) {
      await journal.append([{ kind: 'key', key, othersRetireAtMs, atMs: now() }])
      await store.rotateKey(key, othersRetireAtMs)
    },
  }
}

export function sessionEnd(sessionId: string, reason: EndReason, atMs: number): JournalEntry {
  return { kind: 'session', sessionId, reason, atMs }
}
