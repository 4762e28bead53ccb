/**
 * Recorded actions by account. Ten thousand consecutive ids form a segment, and the index begins with the segment:
 * writing a group of actions touches only pages of the newest segment, whichever accounts they belong to, instead of
 * one page for each action. A listing queries the segments whose times it needs, newest first (docs/decisions/0011).
 */
import { ACTION_COLUMNS } from '../action-rows.ts'
import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'

const COUNT =
  'select count(*) from user_actions where id / 10000 = ? and account_id = ? and at_ms between ? and ?'
/** Answered from the index alone. */
const WITHIN = `from json_each(?) s cross join user_actions a
    where a.id / 10000 = s.value and a.account_id = ? and a.at_ms between ? and ?
    order by a.at_ms desc, a.id desc`
const LIST = `
  select ${ACTION_COLUMNS} from user_actions where id in (select a.id ${WITHIN} limit ? offset ?)
  order by at_ms desc, id desc`
const TIME_OF = `select a.at_ms ${WITHIN} limit 1 offset ?`
const NOTE_TIMES = `
  insert into action_segments (segment, first_at_ms, last_at_ms)
    select id / 10000, min(at_ms), max(at_ms)
    from (select id, at_ms from user_actions order by id desc limit ?) group by 1
  on conflict (segment) do update set
    first_at_ms = min(first_at_ms, excluded.first_at_ms), last_at_ms = max(last_at_ms, excluded.last_at_ms)`
/** Ids only grow, so the lowest segments become empty first. */
const REMOVE_EMPTY = 'delete from action_segments where segment < (select min(id) / 10000 from user_actions)'

/** Segments queried in one step of some milliseconds; fewer where many of the account's actions are counted. */
const SEGMENTS_AT_ONCE = 500
/** Counting this many actions takes as long as querying a segment. */
const COUNTED_FOR_A_SEGMENT = 100

export interface AccountActions {
  readonly accountId: number
  readonly offset: number
  readonly limit: number
  readonly fromMs: number
  readonly toMs: number
}

interface Found {
  readonly segments: readonly number[]
  readonly offset: number
}

interface Segment {
  readonly segment: number
  readonly firstAtMs: number
  readonly lastAtMs: number
}

/** Rows of `ACTION_COLUMNS`, newest first. Many segments are queried in steps, with other requests in between. */
export async function listActions(connection: Connection, wanted: AccountActions): Promise<readonly Row[]> {
  const steps = list(connection, wanted)
  for (;;) {
    const step = await connection.readTogether(() => steps.next())
    if (step.done === true) return step.value
  }
}

function* list(connection: Connection, wanted: AccountActions): Generator<void, readonly Row[]> {
  const { accountId, limit, fromMs, toMs } = wanted
  const { segments, offset } = yield* segmentsFor(connection, wanted)
  return connection.rows(LIST, JSON.stringify(segments), accountId, fromMs, toMs, limit, offset)
}

/** The segments that hold the wanted actions, and how many actions to skip in them. */
function* segmentsFor(connection: Connection, wanted: AccountActions): Generator<void, Found> {
  const { accountId, limit, fromMs, toMs } = wanted
  const segments: number[] = []
  let { offset } = wanted
  let count = 0
  let lastNeededMs: number | null = null
  let asked = 0
  const all = newestSegments(connection, fromMs, toMs)
  for (const [i, found] of all.entries()) {
    if (lastNeededMs !== null && found.lastAtMs < lastNeededMs) break
    if (asked >= SEGMENTS_AT_ONCE) {
      yield
      asked = 0
    }
    const here = connection.row(COUNT, found.segment, accountId, fromMs, toMs)?.[0] as number
    asked += 1 + here / COUNTED_FOR_A_SEGMENT
    if (here === 0) continue
    if (segments.length === 0 && here <= offset && isNewerThan(found, all[i + 1])) {
      offset -= here
      continue
    }
    segments.push(found.segment)
    count += here
    if (lastNeededMs === null && count >= offset + limit) {
      const last = offset + limit - 1
      const row = connection.row(TIME_OF, JSON.stringify(segments), accountId, fromMs, toMs, last)
      // There is no row if actions have been removed since they were counted.
      lastNeededMs = (row?.[0] ?? null) as number | null
    }
  }
  return { segments, offset }
}

function newestSegments(connection: Connection, fromMs: number, toMs: number): readonly Segment[] {
  const rows = connection.rows(
    `select segment, first_at_ms, last_at_ms from action_segments where last_at_ms >= ? and first_at_ms <= ?
     order by last_at_ms desc, segment desc`,
    fromMs,
    toMs,
  ) as readonly (readonly [number, number, number])[]
  return rows.map(([segment, firstAtMs, lastAtMs]) => ({ segment, firstAtMs, lastAtMs }))
}

/** Whether a listing shows all actions of `segment` before those of `next` and of the segments after that. */
function isNewerThan(segment: Segment, next: Segment | undefined): boolean {
  if (next === undefined) return true
  return segment.firstAtMs >= next.lastAtMs && segment.segment > next.segment
}

/** To be called after writing the `count` newest actions: records which times their segments cover. */
export function noteTimes(connection: Connection, count: number): void {
  connection.run(NOTE_TIMES, count)
}

/** To be called after removing actions: forgets the segments that have become empty. */
export function removeEmptySegments(connection: Connection): void {
  connection.run(REMOVE_EMPTY)
}
