/** A store that also writes each end to the journal before acknowledging it. */
import { STATUS } from '../core/account.ts'
import type { EndReason, NewSession } from '../core/session.ts'
import { type Journal, type JournalEntry, SET_BACK } from './journal.ts'
import { type Decide, type RefreshOutcome, type Store, StoreUnavailable, Unjournaled } from './store.ts'

/**
 * A verb that ends something commits first and then writes the journal: a crash in between leaves an end that no caller
 * was told of. A verb that finds the end already there writes it once more, since an earlier call may have failed
 * between the two; `missing-ends.ts` writes ends of sessions that are still missing. A verb that adds a key writes the
 * journal first: a key too many does no harm.
 *
 * Once the database is known to be set back, sessions are neither opened, read nor refreshed: ended ones may be alive in
 * it again.
 */
export function journaled(store: Store, journal: Pick<Journal, 'isSetBack' | 'covers' | 'append'>): Store {
  const now = () => store.clock.nowMs()
  const limitEnds = (ended: readonly string[]) =>
    ended.map((sessionId) => sessionEnd(sessionId, 'session-limit', now()))
  /** Returns `outcome` once the entries about it are durable. @throws {Unjournaled} */
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
      // No client gets the new session: left alive, it would make each further try end one more that is in use.
      await store.endSession(by.accountId, by.sessionId, 'session-limit').catch(() => {})
      throw error
    }
  }
  /** Ends that an earlier call made and may have failed to write. */
  const madeBefore = async (accountId: number, reason: EndReason, endedAtMs: number | null) => {
    const ended = await store.listEndedFor(accountId, reason, endedAtMs)
    return ended
      .filter((each) => !journal.covers(each.endedAtMs))
      .map((each) => sessionEnd(each.sessionId, reason, each.endedAtMs))
  }
  /** Writes an end once more, with those that were made with it. */
  const endedBefore = async (accountId: number, sessionId: string) => {
    const session = (await store.readSession(sessionId))?.session
    if (session?.accountId !== accountId || session.endedAtMs === null || session.endReason === null) return
    const { endReason, endedAtMs } = session
    // Also without any: entries that wait must be written, and the end may be among them.
    await journal.append(journal.covers(endedAtMs) ? [] : await madeBefore(accountId, endReason, endedAtMs))
  }
  const refuseIfSetBack = () => {
    if (journal.isSetBack) throw new StoreUnavailable(SET_BACK)
  }
  return {
    ...store,
    async check() {
      refuseIfSetBack()
      return store.check()
    },
    readSession(sessionId) {
      refuseIfSetBack()
      return store.readSession(sessionId)
    },
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
      if (outcome.kind === 'changed' && options?.keepsPassword === true)
        entries.push(...(await madeBefore(accountId, 'password-changed', null)))
      // A change back to active is written as well: of several changes the last one counts.
      if (outcome.kind === 'changed' && change.status !== undefined) {
        entries.push({ kind: 'account-status', accountId, status: change.status, atMs: now() })
      }
      if (outcome.kind === 'terminated' && change.status === STATUS.terminated) {
        entries.push({ kind: 'account-status', accountId, status: STATUS.terminated, atMs: now() })
      }
      return written(entries, outcome)
    },
    async openSession(request) {
      refuseIfSetBack()
      const outcome = await store.openSession(request)
      if (outcome.kind === 'opened') await madeRoom(outcome, request)
      return outcome
    },
    async openLegacySession(request) {
      refuseIfSetBack()
      const outcome = await store.openLegacySession(request)
      // If the journal fails, the new session stays: its token opens no other, and a retry ends no further one.
      return outcome.kind === 'opened' ? written(limitEnds(outcome.endedSessions), outcome) : outcome
    },
    async refreshSession(request) {
      refuseIfSetBack()
      const { sessionId } = request.presented
      // The end by the last decision, since the store may ask several times.
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
        // The end may have been committed, and its entry is right in any case: an old token was presented.
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
