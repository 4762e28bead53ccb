/** Recorded actions: who acted, and the spans in which they are counted. */

/** Special account ids of the action log (contract, section 1). */
export const GUEST = -2
export const SYSTEM = -3

export type ActionKind = 'user' | 'guest' | 'system'

/** An action as it is recorded, with its time by the store's clock. */
export interface RecordedAction {
  /** The account that acted, `GUEST` or `SYSTEM`. */
  readonly accountId: number
  readonly code: string
  readonly message: string
  readonly atMs: number
  readonly address: string | null
  readonly sessionId: string | null
}

export type CountSpan = 'hour' | 'day'

/** How often something was done in one span by one kind of user. */
export interface ActionTally {
  readonly span: CountSpan
  /** The span's start, in UTC. */
  readonly startMs: number
  readonly kind: ActionKind
  readonly code: string
  readonly count: number
}

export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000
const SPANS = [
  ['day', DAY_MS],
  ['hour', HOUR_MS],
] as const

export function kindOf(accountId: number): ActionKind {
  if (accountId === GUEST) return 'guest'
  return accountId === SYSTEM ? 'system' : 'user'
}

/** The counters that actions add to, always in the same order, so that writers who meet wait and never deadlock. */
export function tallyActions(actions: readonly RecordedAction[]): readonly ActionTally[] {
  const tallies = new Map<string, ActionTally>()
  for (const { accountId, code, atMs } of actions) {
    const kind = kindOf(accountId)
    for (const [span, spanMs] of SPANS) {
      const startMs = Math.floor(atMs / spanMs) * spanMs
      const key = `${span} ${String(startMs).padStart(16, '0')} ${kind} ${code}`
      const count = (tallies.get(key)?.count ?? 0) + 1
      tallies.set(key, { span, startMs, kind, code, count })
    }
  }
  return [...tallies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tally]) => tally)
}

/** Where a time interval that goes on until now starts: whole hours up to the next day, whole days from then on. */
export function edgesOf(sinceMs: number): { readonly hourMs: number; readonly dayMs: number } {
  const hourMs = Math.floor(sinceMs / HOUR_MS) * HOUR_MS
  return { hourMs, dayMs: Math.ceil(hourMs / DAY_MS) * DAY_MS }
}
