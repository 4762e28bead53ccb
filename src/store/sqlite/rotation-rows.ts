/** The statements of the rotation log, and the conversion between its rows and tails. */
import type { Session } from '../../core/session.ts'
import type { Row } from '../rows.ts'
import type { Tail } from './rotation-tails.ts'

const COLUMNS = 'generation, rotated_at_ms, handed_out_at_ms, kid, attempt_key, repeats, last_used_at_ms'
/** Conditional, as every write of a refresh: after a decision on stale state the `rotation_id` would exist already. */
export const INSERT = `insert into rotations (rotation_id, session_id, ${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`
/** The rotations after a given one, at most a given number of them. */
export const LOAD = `select rotation_id, session_id, ${COLUMNS} from rotations where rotation_id > ? order by rotation_id limit ?`
export const SETTLE_ONE = `update sessions set generation = ?, rotated_at_ms = ?, handed_out_at_ms = ?, kid = ?,
  attempt_key = ?, repeats = ?, last_used_at_ms = max(last_used_at_ms, ?) where session_id = ? and generation <= ?`

/** Settles everything at once: for writers that change all sessions, and for tests that look into the tables. */
export const SETTLE_ALL = `
  update sessions set (generation, rotated_at_ms, handed_out_at_ms, kid, attempt_key, repeats, last_used_at_ms) =
    (r.generation, r.rotated_at_ms, r.handed_out_at_ms, r.kid, r.attempt_key, r.repeats,
     max(sessions.last_used_at_ms, r.last_used_at_ms))
  from (select session_id, max(rotation_id), ${COLUMNS} from rotations
    where rotation_id > (select settled_to from rotation_log) group by session_id) r
  where sessions.session_id = r.session_id and sessions.generation <= r.generation;
  update rotation_log set settled_to = max(settled_to, coalesce((select max(rotation_id) from rotations), 0));
  delete from rotations;`

export function tailOf(session: Session): Tail {
  const { generation, rotatedAtMs, handedOutAtMs, kid, attemptKey, repeats, lastUsedAtMs } = session
  return { generation, rotatedAtMs, handedOutAtMs, kid, attemptKey, repeats, lastUsedAtMs }
}

/** In the order of `COLUMNS`. */
export function valuesOf(tail: Tail): (string | number | null)[] {
  const { generation, rotatedAtMs, handedOutAtMs, kid, attemptKey, repeats, lastUsedAtMs } = tail
  return [generation, rotatedAtMs, handedOutAtMs, kid, attemptKey, repeats, lastUsedAtMs]
}

/** The tail in a row of `LOAD`, given without its two ids. */
export function tailFrom(row: Row): Tail {
  return {
    generation: row[0] as number,
    rotatedAtMs: row[1] as number,
    handedOutAtMs: row[2] as number,
    kid: row[3] as string,
    attemptKey: row[4] as string | null,
    repeats: row[5] as number,
    lastUsedAtMs: row[6] as number,
  }
}
