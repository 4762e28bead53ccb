/**
 * The small world in which the refresh protocol is explored: one session row, a storage that tabs share, a
 * second process with an old copy, a thief, an administrator, a backup. Generations are relative to the row
 * (0 is the current one, -1 the one before), times are ages in ticks, so that the world is finite.
 */

export interface Token {
  readonly g: number
  /**
   * How many restores came before the token was minted: the time that a restore undid may have minted the same
   * generation.
   */
  readonly line: number
  /** The attempt key kept beside the token; 0 for none. Only equality counts, so keys are renamed freely. */
  readonly key: number
}

export interface Row {
  readonly rotAge: number
  readonly handAge: number
  readonly key: number
  readonly repeats: number
  readonly line: number
  readonly ended: boolean
  /** Not a column: the key that the rotating request really sent. */
  readonly sentKey: number
}

export interface Backup extends Row {
  readonly g: number
  readonly suspended: boolean
}

/** What a node has decided on the row it read, and has not committed yet. */
export interface Plan {
  readonly kind: 'advance' | 'repeat' | 'end'
  readonly base: number
  readonly to: number
  readonly key: number
  readonly repeats: number
}

/** `lost` exists only where a first try must be answered in time; elsewhere a client is idle after a lost try. */
export type Phase = 'idle' | 'sent' | 'decided' | 'reply' | 'lost'

export interface Client {
  readonly role: 'tab' | 'second' | 'thief'
  readonly phase: Phase
  /** The second process keeps its own copy; a tab with keys of its own remembers the token it tried last. */
  readonly own: Token | null
  readonly sent: Token | null
  readonly plan: Plan | null
  readonly answer: Token | null
  /** Ticks since the storage was read and, once the reply has left, since then. */
  readonly age: number
  /** Ticks since the first try that has not been answered, where the time to an answer is measured. */
  readonly since: number
}

export interface World {
  readonly row: Row
  readonly backup: Backup | null
  readonly restoresLeft: number
  readonly line: number
  readonly suspended: boolean
  /** The application was disabled (its epoch raised), whether or not it is enabled again. */
  readonly disabled: boolean
  readonly expired: boolean
  /** An end of the session is journalled, and somebody has been told so. */
  readonly acknowledged: boolean
  readonly storage: Token
  readonly clients: readonly Client[]
  /** A second copy of a request, made by the network; its answer reaches nobody. */
  readonly duplicate: { readonly token: Token; readonly age: number } | null
  readonly loot: readonly Token[]
  readonly copiesLeft: number
}

export interface Size {
  readonly tabs: number
  /**
   * Bound, in ticks, on the time from reading the storage to the decision, and on that of the reply without `replyD`.
   */
  readonly D: number
  readonly G: number
  readonly W: number
  readonly replyD?: number
  /** `stored`: one key for each stored token, used by all who share the storage. `own`: each tab makes its own keys. */
  readonly keys: 'none' | 'stored' | 'own'
  /** Without keys: how long after the first try an answer must have come. */
  readonly answeredWithin?: number
  /**
   * Whether messages keep to their bounds. Safety must hold without bounds, so untimed messages may come at any time.
   */
  readonly timed: boolean
  /** Reading the row and the conditional write are two steps: two nodes on one database. */
  readonly twoNodes?: boolean
  readonly duplicates?: boolean
  readonly restores?: number
  /** The restore forgets which ends were acknowledged. */
  readonly journalLost?: boolean
  readonly second?: boolean
  readonly lootSize?: number
  readonly copies?: number
  readonly administrator?: boolean
  /** How many of the hundred repeats by key are left; if absent, repeats are not counted. */
  readonly repeatsLeft?: number
  /** At this age the rotation stops ageing; by default just more than `W`. */
  readonly oldest?: number
  /** Nobody presents an old token within `W` after the rotation. */
  readonly nobodyFollows?: boolean
}

const NOBODY = { phase: 'idle', own: null, sent: null, plan: null, answer: null, age: 0, since: 0 } as const
/** Lower numbers are the thief's keys; 0 is none. */
export const FIRST_KEY = 3
/** The thief's own keys: with two he can send a different one at every rotation. */
export const THIEF_KEYS = [1, 2] as const
export const ANY_NUMBER = 9

export function firstWorld(size: Size): World {
  const clients: Client[] = Array.from({ length: size.tabs }, () => ({ role: 'tab', ...NOBODY }))
  if (size.second === true) clients.push({ role: 'second', ...NOBODY })
  if (size.lootSize !== undefined) clients.push({ role: 'thief', ...NOBODY })
  const row: Row = {
    rotAge: oldest(size),
    handAge: size.G,
    key: 0,
    repeats: 0,
    line: 0,
    ended: false,
    sentKey: 0,
  }
  return {
    row,
    backup: null,
    restoresLeft: size.restores ?? 0,
    line: 0,
    suspended: false,
    disabled: false,
    expired: false,
    acknowledged: false,
    storage: { g: 0, line: 0, key: size.keys === 'stored' ? FIRST_KEY : 0 },
    clients,
    duplicate: null,
    loot: [],
    copiesLeft: size.copies ?? (size.lootSize === undefined ? 0 : ANY_NUMBER),
  }
}

export function oldest(size: Size): number {
  return size.oldest ?? size.W + 1
}

export function sameToken(a: Token, b: Token): boolean {
  return a.g === b.g && a.line === b.line
}
