/** SQL on `action_counts` that both engines share. */

/**
 * All pairs of kind and code that occur, without reading every counter: each step jumps to the next code in the index.
 * The hours have all pairs, since the hours of each day or month that is kept are kept too.
 */
export const PAIRS = `
  recursive pairs(kind, code) as (
    select kind, (select min(code) from action_counts c where c.span = 'hour' and c.kind = k.kind)
    from (select 'user' as kind union all select 'guest' union all select 'system') k
    union all
    select kind,
      (select min(code) from action_counts c where c.span = 'hour' and c.kind = p.kind and c.code > p.code)
    from pairs p where code is not null)`

const sum = (span: string, range: string) => `
  coalesce((select sum(count) from action_counts c
    where c.span = '${span}' and c.kind = p.kind and c.code = p.code and ${range}), 0)`

/** The sum of one code's counts from `hour_ms` on: hours up to a day, days up to a month, months from then on. */
export const SUM = [
  sum('hour', 'c.start_ms >= e.hour_ms and c.start_ms < e.day_ms'),
  sum('day', 'c.start_ms >= e.day_ms and c.start_ms < e.month_ms'),
  sum('month', 'c.start_ms >= e.month_ms'),
].join(' + ')
