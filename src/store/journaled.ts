/** A store whose ends are also in the journal before they are acknowledged. */
import { STATUS } from '../core/account.ts'
import type { Journal, JournalEntry } from './journal.ts'
import type { Store } from './store.ts'

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
  return {
    ...store,
    async endSession(accountId, sessionId, reason) {
      const ended = await store.endSession(accountId, sessionId, reason)
      await journal.append([{ kind: 'session', sessionId, reason, atMs: now() }])
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
      if (outcome.kind === 'changed' && change.status !== undefined && change.status !== STATUS.active) {
        entries.push({ kind: 'account-status', accountId, status: change.status, atMs: now() })
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
      const outcome = await store.refreshSession(request)
      if (outcome.decision.kind === 'end') {
        const { sessionId } = request.presented
        await journal.append([{ kind: 'session', sessionId, reason: 'reuse', atMs: outcome.nowMs }])
      }
      return outcome
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
      await journal.append([{ kind: 'key', key, atMs: now() }])
    },
  }
}
