/** Throughput and latency of the requests that a service answers all day, against a bare node:http server. */
import { copyFileSync } from 'node:fs'
import type { Target } from '../harness/closed-loop.ts'
import type { Context, Figure, Row } from '../harness/context.ts'
import { SYNCS_PER_SECOND, syncP99Ms } from '../harness/disk.ts'
import { type Running, type Site, metric, startDuktig } from '../harness/duktig.ts'
import {
  type Round,
  interleaved,
  median,
  openLoop,
  repeatedOpenLoop,
  repeatedLoad,
  shareOfCore,
  standingStill,
  tapeLoad,
} from '../harness/measure.ts'
import type { OpenLoopResult } from '../open-loop.ts'
import type { Tape, TapeKind } from '../harness/tape.ts'

interface Work {
  readonly name: string
  readonly title: string
  readonly engine: 'sqlite' | 'postgres'
  readonly kind: TapeKind
  readonly leastRatio: number
  readonly mostP99Ms?: number
}

/** Latency is measured at this part of the throughput: busy, but not at the limit, where every queue grows. */
const OPEN_LOOP_PART = 0.7

/** The part of its core that the bare server must use: one that used less was waiting for its load generator. */
const LEAST_SHARE = 0.9

const WORKS: readonly Work[] = [
  {
    name: 'rotating-sqlite',
    title: 'refresh, rotation on, SQLite synchronous=FULL',
    engine: 'sqlite',
    kind: 'rotating',
    leastRatio: 0.3,
    mostP99Ms: 20,
  },
  {
    name: 'resting-sqlite',
    title: 'refresh, rotation off, SQLite',
    engine: 'sqlite',
    kind: 'resting',
    leastRatio: 0.4,
    mostP99Ms: 15,
  },
  {
    name: 'rotating-postgres',
    title: 'refresh, rotation on, PostgreSQL synchronous_commit=on',
    engine: 'postgres',
    kind: 'rotating',
    leastRatio: 0.22,
    mostP99Ms: 25,
  },
  {
    name: 'user',
    title: 'GET /user with a valid access token',
    engine: 'sqlite',
    kind: 'access',
    leastRatio: 0.45,
  },
]

export const workRows: readonly Row[] = WORKS.map((work) => ({
  name: work.name,
  title: work.title,
  run: (context) => measureWork(context, work),
}))

async function measureWork(context: Context, work: Work): Promise<readonly Figure[]> {
  const site = await context.site(work.engine)
  const baseline = await context.baseline()
  const running = await startDuktig(site)
  try {
    const target = targetOf(work.kind, running.port)
    const sample = site.tapes.make(work.kind, 20_000)
    const contestants = [
      {
        name: 'bare node:http',
        pid: baseline.child.pid as number,
        load: repeatedLoad({ ...target, port: baseline.port }, ownCopy(sample)),
      },
      duktigContestant(site, running, work.kind),
    ]
    const rounds = await interleaved(contestants, context.timing, context.say)
    const bare = rounds.get('bare node:http') ?? []
    const ours = rounds.get('Duktig') ?? []
    const ratios = ours.map((round, i) => round.perSecond / (bare[i]?.perSecond ?? Number.NaN))
    const figures: Figure[] = [
      ratioFigure(work, ratios, bare),
      { row: work.name, what: 'throughput', unit: '/s', values: ours.map((round) => round.perSecond) },
      { row: work.name, what: 'bare node:http', unit: '/s', values: bare.map((round) => round.perSecond) },
      { row: work.name, what: 'processor time', unit: 'µs', values: ours.map((round) => round.cpuMicros) },
      {
        row: work.name,
        what: 'bare processor time',
        unit: 'µs',
        values: bare.map((round) => round.cpuMicros),
      },
      {
        row: work.name,
        what: 'part of its core that the bare server used',
        unit: '',
        values: bare.map(shareOfCore),
      },
      { row: work.name, what: 'p99 of 64 connections', unit: 'ms', values: ours.map((round) => round.p99Ms) },
    ]
    if (work.kind === 'access') await assertAllRecorded(running)
    if (work.mostP99Ms === undefined) return figures
    const rate = median(ours.map((round) => round.perSecond)) * OPEN_LOOP_PART
    const latencies = await latency(context, site, { ours: running, bare: baseline }, work, rate)
    if (work.kind === 'rotating') await assertAllRotated(running)
    return [...figures, ...latencies]
  } finally {
    await running.stop()
  }
}

/** The ratio to the bare server, without an aim if the load generator held that server back, as autocannon does. */
function ratioFigure(work: Work, ratios: readonly number[], bare: readonly Round[]): Figure {
  const figure = { row: work.name, what: 'ratio to bare node:http', unit: '', values: ratios }
  // Negated because the share is NaN where there is no /proc.
  if (!(median(bare.map(shareOfCore)) >= LEAST_SHARE))
    return { ...figure, what: `${figure.what}, which may have had less load than it could take` }
  return { ...figure, aim: { least: work.leastRatio } }
}

/**
 * Latency of the service, by turns with the bare server at the same rate, which shows the latency of processor and load
 * generator alone, and with the disk alone.
 */
async function latency(
  context: Context,
  site: Site,
  servers: { readonly ours: Running; readonly bare: Pick<Running, 'port'> },
  work: Work,
  rate: number,
): Promise<readonly Figure[]> {
  const { kind, name } = work
  const oursMs: number[] = []
  const bareMs: number[] = []
  const diskMs: number[] = []
  const pid = servers.ours.child.pid as number
  const load = { kind, rate, seconds: context.timing.seconds * 2 }
  const bareLoad = { ...load, target: targetOf(kind, servers.bare.port) }
  const ourLoad = { ...load, target: targetOf(kind, servers.ours.port), pid }
  const folder = site.variables['DUKTIG_DATA_DIR'] as string
  for (let i = 0; i < Math.ceil(context.timing.rounds / 2); i++) {
    const bare = await standingStill([pid], () => repeatedOpenLoop(site.tapes, bareLoad))
    const ours = await openLoop(site.tapes, ourLoad)
    assertAllAnswered(bare)
    assertAllAnswered(ours)
    oursMs.push(ours.p99Ms)
    bareMs.push(bare.p99Ms)
    diskMs.push(await standingStill([pid], () => syncP99Ms(folder, context.timing.seconds)))
    context.say(
      `p99 ${ours.p99Ms.toFixed(1)} ms at ${Math.round(rate)}/s, longest ${ours.maxMs.toFixed(0)} ms; ` +
        `bare ${bare.p99Ms.toFixed(1)} ms, disk ${diskMs.at(-1)?.toFixed(1)} ms`,
    )
  }
  const what = `p99 at ${OPEN_LOOP_PART * 100} % of the throughput, open loop`
  return [
    { row: name, what, unit: 'ms', values: oursMs, aim: { most: work.mostP99Ms as number } },
    { row: name, what: 'p99 of bare node:http at that rate', unit: 'ms', values: bareMs },
    {
      row: name,
      what: `p99 of ${SYNCS_PER_SECOND} syncs a second of the disk alone`,
      unit: 'ms',
      values: diskMs,
    },
  ]
}

/** @throws when not every answer was 200: a refusal would count as a quick answer */
export function assertAllAnswered(result: OpenLoopResult): void {
  if (result.unanswered > 0 || (result.statuses['200'] ?? 0) !== result.sent)
    throw new Error(`open loop: ${JSON.stringify(result)}`)
}

/** @throws when an answer left the session as it is, which costs less than a rotation */
export async function assertAllRotated(running: Running): Promise<void> {
  for (const result of ['kept', 'repeated']) {
    const count = await metric(running, `duktig_refreshes_total{result="${result}"}`)
    if (count > 0) throw new Error(`${count} refreshes were ${result}, where each should rotate`)
  }
  if ((await metric(running, 'duktig_refreshes_total{result="advanced"}')) === 0)
    throw new Error('no refresh is counted as advanced')
}

/** @throws when requests were not recorded: recording is part of their cost, and is dropped if the store is too slow */
async function assertAllRecorded(running: Running): Promise<void> {
  const dropped = await metric(running, 'duktig_actions_dropped_total')
  if (dropped > 0) throw new Error(`${dropped} requests were not recorded`)
  if ((await metric(running, 'duktig_actions_total{code="User->getAccount"}')) === 0)
    throw new Error('no request is counted as recorded')
}

export function duktigContestant(site: Site, running: Running, kind: TapeKind) {
  const pid = running.child.pid as number
  const load = tapeLoad(targetOf(kind, running.port), kind, site.tapes, pid)
  return { name: 'Duktig', pid, load }
}

/** The requests of a kind, as our own client sends them: a refresh carries an attempt key. */
export function targetOf(kind: TapeKind, port: number): Target {
  if (kind === 'access')
    return { port, method: 'GET', path: '/user', tokenHeader: 'Access-Token', headers: '' }
  const headers = 'Idempotency-Key: %s\n'
  return { port, method: 'POST', path: '/auth/refresh_token', tokenHeader: 'Refresh-Token', headers }
}

/** Copies a tape, since the next one of its kind overwrites its file. */
function ownCopy(tape: Tape): Tape {
  const file = `${tape.file}.copy`
  copyFileSync(tape.file, file)
  return { ...tape, file }
}
