/** A store whose ends are also in the journal before they are acknowledged. */
import { STATUS } from '../core/account.ts'
import type { Journal, JournalEntry } from './journal.ts'
import type { Decide, Store } from './store.ts'

/** So long somebody may try again what was answered with 503. */
const RETRIED_MS = 600_000

/**
 * `store` with a journal behind every verb that ends something or adds a key. The database commits first: a crash in
 * between leaves an end that nobody was told of. A verb that finds the end already there writes it once more, since
 * the try before may have failed between the two.
 */
export function journaled(store: Store, journal: Journal): Store {
  const now = () => store.clock.nowMs()
  const madeRoom = async (ended: readonly string[]) => {
    const entryOf = (sessionId: string) =>
      ({ kind: 'session', sessionId, reason: 'session-limit', atMs: now() }) as const
    if (ended.length > 0) await journal.append(ended.map(entryOf))
  }
  /** The try before may have failed between database and journal. What ended longer ago has been acknowledged. */
  const endedBefore = async (accountId: number, sessionId: string) => {
    const session = (await store.readSession(sessionId))?.session
    if (session?.accountId !== accountId || session.endedAtMs === null || session.endReason === null) return
    const { endedAtMs, endReason } = session
    if (now() - endedAtMs > RETRIED_MS) return
    await journal.append([{ kind: 'session', sessionId, reason: endReason, atMs: endedAtMs }])
  }
  return {
    ...store,
    async endSession(accountId, sessionId, reason) {
      const ended = await store.endSession(accountId, sessionId, reason)
      if (ended) await journal.append([{ kind: 'session', sessionId, reason, atMs: now() }])
      else await endedBefore(accountId, sessionId)
      return ended
    },
    async endSessions(accountId, reason) {
      const ended = await store.endSessions(accountId, reason)
      await journal.append([
        { kind: 'account-sessions', accountId, reason, exceptSessionId: null, atMs: now() },
      ])
      return ended
    },
    async changeAccount(accountId, change, options) {
      const outcome = await store.changeAccount(accountId, change, options)
      const entries: JournalEntry[] = []
      if (outcome.kind === 'changed' && options?.endSessions !== undefined) {
        entries.push({ kind: 'account-sessions', accountId, ...options.endSessions, atMs: now() })
      }
      // That an account is active again too: of several changes the last one counts.
      if (outcome.kind === 'changed' && change.status !== undefined) {
        entries.push({ kind: 'account-status', accountId, status: change.status, atMs: now() })
      }
      if (outcome.kind === 'terminated' && change.status === STATUS.terminated) {
        entries.push({ kind: 'account-status', accountId, status: STATUS.terminated, atMs: now() })
      }
      await journal.append(entries)
      return outcome
    },
    async openSession(request) {
      const outcome = await store.openSession(request)
      if (outcome.kind === 'opened') await madeRoom(outcome.endedSessions)
      return outcome
    },
    async openLegacySession(request) {
      const outcome = await store.openLegacySession(request)
      if (outcome.kind === 'opened') await madeRoom(outcome.endedSessions)
      return outcome
    },
    async refreshSession(request) {
      const { sessionId } = request.presented
      let endAtMs: number | null = null
      const decide: Decide = (view, presented, nowMs) => {
        const decision = request.decide(view, presented, nowMs)
        endAtMs = decision.kind === 'end' ? nowMs : null
        return decision
      }
      try {
        return await store.refreshSession({ ...request, decide })
      } finally {
        // Also when nobody waits for the answer any more: an old token was presented, and its end may have been written.
        if (endAtMs !== null)
          await journal.append([{ kind: 'session', sessionId, reason: 'reuse', atMs: endAtMs }])
      }
    },
    async changeApplication(applicationId, change) {
      const outcome = await store.changeApplication(applicationId, change)
      if (change.disabled === true) {
        await journal.append([{ kind: 'application-disabled', applicationId, atMs: now() }])
      }
      return outcome
    },
    async addFirstKey(key) {
      await store.addFirstKey(key)
      await journal.append([{ kind: 'key', key, atMs: now() }])
    },
    async rotateKey(key, othersRetireAtMs) {
      await store.rotateKey(key, othersRetireAtMs)
      await journal.append([{ kind: 'key', key, othersRetireAtMs, atMs: now() }])
    },
  }
}
