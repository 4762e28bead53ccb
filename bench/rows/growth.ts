/** How the number of sessions affects the throughput of refreshes. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { Context, Figure, Row } from '../harness/context.ts'
import { type Running, type Site, startDuktig } from '../harness/duktig.ts'
import {
  type Contestant,
  type Round,
  diskBytesReadBy,
  interleaved,
  standingStill,
} from '../harness/measure.ts'
import { assertAllRotated, duktigContestant } from './refresh.ts'

const PAGE_BYTES = 4096
const CHUNK_BYTES = 1024 * 1024

interface Grown extends Contestant {
  readonly running: Running
  /** Pages of 4 KiB read from the disk for each request: first in the warm-up, then in each round. */
  readonly diskReads: number[]
}

export const growthRow: Row = {
  name: 'growth',
  title: 'refresh, rotation on, SQLite, from 10,000 to 10,000,000 sessions',
  async run(context) {
    const sizes = context.quick ? [10_000, context.sessions] : [10_000, context.sessions, 10_000_000]
    const stops: (() => Promise<void>)[] = []
    try {
      const contestants: Grown[] = []
      for (const size of sizes) {
        const { contestant, stop } = await grownTo(context, size)
        stops.push(stop)
        contestants.push(contestant)
      }
      const rounds = await interleaved(contestants, context.timing, context.say)
      for (const { running } of contestants) await assertAllRotated(running)
      return figuresOf(contestants, rounds)
    } finally {
      for (const stop of stops) await stop()
    }
  },
}

/**
 * During the rounds of the others nobody reads this store's file, and the machine may reclaim the memory in which the
 * system caches it. So the file is read once before each round, as if the service had run without a pause. The service
 * stands still for that: otherwise it would settle rotations outside its rounds, which none of them would account for.
 */
async function grownTo(
  context: Context,
  size: number,
): Promise<{ readonly contestant: Grown; readonly stop: () => Promise<void> }> {
  const site = await context.site('sqlite', size)
  const running = await startDuktig(site)
  const { pid, load } = duktigContestant(site, running, 'rotating')
  const diskReads: number[] = []
  const contestant = {
    name: `${size.toLocaleString('en')} sessions`,
    pid,
    running,
    diskReads,
    async load(seconds: number) {
      await standingStill([pid], () => readWhole(site))
      const before = diskBytesReadBy(pid)
      const result = await load(seconds)
      diskReads.push((diskBytesReadBy(pid) - before) / PAGE_BYTES / result.requests)
      return result
    },
  }
  return { contestant, stop: running.stop }
}

async function readWhole(site: Site): Promise<void> {
  const file = join(site.variables['DUKTIG_DATA_DIR'] as string, 'duktig.sqlite')
  // Only fills the system's cache; the content does not matter.
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) void chunk
}

function figuresOf(
  contestants: readonly Grown[],
  rounds: ReadonlyMap<string, readonly Round[]>,
): readonly Figure[] {
  const [smallest, largest] = [contestants.at(0), contestants.at(-1)]
  const roundsOf = ({ name }: Contestant) => rounds.get(name) ?? []
  if (smallest === undefined || largest === undefined) return []
  const few = roundsOf(smallest).map(({ perSecond }) => perSecond)
  const kept = roundsOf(largest).map(({ perSecond }, i) => perSecond / (few[i] ?? Number.NaN))
  const what = `throughput with ${largest.name} against ${smallest.name}`
  const each = contestants.flatMap((contestant) => {
    const [, ...diskReads] = contestant.diskReads
    const ofRounds = roundsOf(contestant)
    const figure = (text: string, unit: string, values: readonly number[]): Figure => {
      return { row: 'growth', what: `${text} with ${contestant.name}`, unit, values }
    }
    return [
      figure(
        'throughput',
        '/s',
        ofRounds.map(({ perSecond }) => perSecond),
      ),
      figure(
        'processor time',
        'µs',
        ofRounds.map(({ cpuMicros }) => cpuMicros),
      ),
      figure('pages of 4 KiB read from the disk for a request', '', diskReads),
    ]
  })
  return [{ row: 'growth', what, unit: '', values: kept, aim: { least: 0.8 } }, ...each]
}
