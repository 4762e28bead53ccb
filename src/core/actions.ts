/** Recorded actions: who acted, and the spans of time by which actions are counted. */
import { DAY_MS, HOUR_MS } from '../settings/limits.ts'

/** Special account ids of the action log (contract, section 1). */
export const GUEST = -2
export const SYSTEM = -3

export type ActionKind = 'user' | 'guest' | 'system'

/** An action as the store records it; its time is of the store's clock. */
export interface RecordedAction {
  /** The account that acted, `GUEST` or `SYSTEM`. */
  readonly accountId: number
  readonly code: string
  readonly message: string
  readonly atMs: number
  readonly address: string | null
  readonly sessionId: string | null
}

export type CountSpan = 'hour' | 'day' | 'month'

/** How often one kind of user performed one action within one span. */
export interface ActionTally {
  readonly span: CountSpan
  /** The span's start, in UTC. */
  readonly startMs: number
  readonly kind: ActionKind
  readonly code: string
  readonly count: number
}

/** For each length of span: the start, in UTC, of the span that contains a time. */
const STARTS: readonly (readonly [span: CountSpan, startMs: (timeMs: number) => number])[] = [
  ['month', monthStartMs],
  ['day', (timeMs) => Math.floor(timeMs / DAY_MS) * DAY_MS],
  ['hour', hourStartMs],
]

export function kindOf(accountId: number): ActionKind {
  if (accountId === GUEST) return 'guest'
  return accountId === SYSTEM ? 'system' : 'user'
}

/** The counters that `actions` add to, always in the same order: concurrent writers then wait and never deadlock. */
export function tallyActions(actions: readonly RecordedAction[]): readonly ActionTally[] {
  // Hours are summed first, since the actions of one batch fall into only one or two of them. Days and months then add
  // up whole hours.
  const hours = new Map<string, Omit<ActionTally, 'span'>>()
  for (const { accountId, code, atMs } of actions) {
    const kind = kindOf(accountId)
    const startMs = hourStartMs(atMs)
    const key = `${kind} ${code} ${startMs}`
    hours.set(key, { startMs, kind, code, count: (hours.get(key)?.count ?? 0) + 1 })
  }
  const tallies = new Map<string, ActionTally>()
  for (const { kind, code, startMs: hourMs, count } of hours.values())
    for (const [span, startOf] of STARTS) {
      const startMs = startOf(hourMs)
      const key = `${span} ${kind} ${code} ${startMs}`
      tallies.set(key, { span, startMs, kind, code, count: (tallies.get(key)?.count ?? 0) + count })
    }
  return [...tallies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tally]) => tally)
}

/**
 * How counters cover an interval that lasts until now: by the hour from `hourMs` to `dayMs`, by the day from there to
 * `monthMs`, and by the month from then on.
 */
export interface Edges {
  readonly hourMs: number
  readonly dayMs: number
  readonly monthMs: number
}

export function edgesOf(sinceMs: number): Edges {
  const hourMs = hourStartMs(sinceMs)
  const dayMs = Math.ceil(hourMs / DAY_MS) * DAY_MS
  return { hourMs, dayMs, monthMs: monthStartMs(dayMs) === dayMs ? dayMs : monthStartMs(dayMs, 1) }
}

function hourStartMs(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS) * HOUR_MS
}

function monthStartMs(timeMs: number, monthsLater = 0): number {
  const date = new Date(timeMs)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + monthsLater)
}
