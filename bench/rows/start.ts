/** How long a start takes until the first answer, and what a service at rest holds in memory. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context, Figure, Row } from '../harness/context.ts'
import { type Site, startDuktig } from '../harness/duktig.ts'

/** How long to wait once the last rotation is settled: the garbage of the start has been collected by then. */
const REST_MS = 3000
const STARTS = 7
const RESTS = 3
const LOOK_MS = 200
/** Memory is reported apart for a start that settled more rotations than this. */
const MANY = 10_000
/** A full log is settled in well under a minute. */
const SETTLED_WITHIN_MS = 120_000
/** The sessions in the store of a team that has just begun. */
const FEW = 1000

export const startRow: Row = {
  name: 'start',
  title: 'second start to the first answer, memory at rest',
  async run(context) {
    const aims = { start: { most: 400 }, memory: { most: 100 } }
    const few = await startsOf(context, FEW, aims)
    return [...few, ...(await startsOf(context, context.sessions, aims))]
  },
}

async function startsOf(
  context: Context,
  sessions: number,
  aims: Readonly<Record<'start' | 'memory', { readonly most: number }>>,
): Promise<readonly Figure[]> {
  const site = await context.site('sqlite', sessions)
  // The first start is not counted: the machine's caches are still cold.
  await (await startDuktig(site)).stop()
  const left = rotationsLeft(site)
  const starts: number[] = []
  // Each start finds the log of rotations as the load left it, since no service runs long enough to settle it.
  for (let i = 0; i < (context.quick ? 3 : STARTS); i++) {
    const startedMs = performance.now()
    const running = await startDuktig(site)
    starts.push(performance.now() - startedMs)
    await running.stop()
    context.say(`start ${starts.at(-1)?.toFixed(0)} ms, with ${left} rotations to settle`)
  }
  const afterSettling: number[] = []
  const memory: number[] = []
  while (memory.length < RESTS) {
    const running = await startDuktig(site)
    const rotations = rotationsLeft(site)
    await settled(site)
    await sleep(REST_MS)
    const mebibytes = residentMiB(running.child.pid as number)
    ;(rotations > MANY ? afterSettling : memory).push(mebibytes)
    await running.stop()
    context.say(`memory ${mebibytes.toFixed(0)} MiB, with ${rotations} rotations settled before`)
  }
  const store = `${sessions.toLocaleString('en')} sessions`
  const figures = [
    {
      row: 'start',
      what: `second start to the first answer, ${store}`,
      unit: 'ms',
      values: starts,
      aim: aims.start,
    },
    { row: 'start', what: `memory at rest, ${store}`, unit: 'MiB', values: memory, aim: aims.memory },
  ]
  if (afterSettling.length === 0) return figures
  // The service holds this memory until its next start.
  const what = `memory after settling a full log, ${store}`
  return [...figures, { row: 'start', what, unit: 'MiB', values: afterSettling, aim: aims.memory }]
}

async function settled(site: Site): Promise<void> {
  const deadlineMs = performance.now() + SETTLED_WITHIN_MS
  while (rotationsLeft(site) > 0) {
    if (performance.now() > deadlineMs) throw new Error('the log of rotations has not been settled in time')
    await sleep(LOOK_MS)
  }
}

/** How many rotations are in the log; a service at rest settles them into the rows of their sessions. */
function rotationsLeft(site: Site): number {
  const file = join(site.variables['DUKTIG_DATA_DIR'] as string, 'duktig.sqlite')
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  try {
    const row = database.prepare('select count(*) as count from rotations').get() as { count: number }
    return row.count
  } finally {
    database.close()
  }
}

/** Resident memory; NaN where there is no /proc. */
function residentMiB(pid: number): number {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kibibytes) / 1024
  } catch {
    return Number.NaN
  }
}
