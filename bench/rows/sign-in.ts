/** Sign-ins against the raw rate of their password hash, and what a flood of sign-ins does to refreshes. */
import { fileURLToPath } from 'node:url'
import type { Target } from '../harness/closed-loop.ts'
import type { Context, Figure, Row } from '../harness/context.ts'
import { AUTH_KEY, type Running, type Site, startDuktig } from '../harness/duktig.ts'
import { type OpenLoad, interleaved, median, openLoop, openLoops, tapeLoad } from '../harness/measure.ts'
import { SERVER_CORE, outputOf } from '../harness/processes.ts'
import { WARM_UP_SECONDS } from '../open-loop.ts'
import { assertAllAnswered, assertAllRotated, duktigContestant, targetOf } from './refresh.ts'

/** More sign-ins than are hashed at a time, and fewer than may wait. */
const SIGN_IN_CONNECTIONS = 16
const REFRESH_CONNECTIONS = 128
const FLOOD_CONNECTIONS = 512
const FLOOD_FACTOR = 10
const REFRESH_PART = 0.25

const rawScript = fileURLToPath(new URL('../harness/raw-argon2.ts', import.meta.url))

export const signInRow: Row = {
  name: 'sign-in',
  title: 'sign-in against the raw argon2id rate of the same core',
  async run(context) {
    const site = await context.site('sqlite')
    const running = await startDuktig(site)
    try {
      const load = tapeLoad(signInTarget(running.port), 'sign-in', site.tapes)
      const raw: number[] = []
      const ours: number[] = []
      await load(context.timing.warmUpSeconds)
      for (let i = 0; i < context.timing.rounds; i++) {
        raw.push(await rawRate(context.timing.seconds))
        const { requests, seconds } = await load(context.timing.seconds)
        ours.push(requests / seconds)
        context.say(`raw ${raw.at(-1)?.toFixed(0)}/s, sign-in ${ours.at(-1)?.toFixed(0)}/s`)
      }
      const ratios = ours.map((rate, i) => rate / (raw[i] ?? Number.NaN))
      return [
        { row: 'sign-in', what: 'ratio to raw argon2id', unit: '', values: ratios, aim: { least: 0.9 } },
        { row: 'sign-in', what: 'throughput', unit: '/s', values: ours },
      ]
    } finally {
      await running.stop()
    }
  },
}

export const floodRow: Row = {
  name: 'flood',
  title: 'refreshes at a quarter of their capacity during ten times the sign-ins that fit',
  async run(context) {
    const site = await context.site('sqlite')
    const running = await startDuktig(site)
    try {
      return await flood(context, site, running)
    } finally {
      await running.stop()
    }
  },
}

async function flood(context: Context, site: Site, running: Running): Promise<readonly Figure[]> {
  const { timing } = context
  const rounds = await interleaved(
    [duktigContestant(site, running, 'rotating')],
    { ...timing, rounds: 1 },
    context.say,
  )
  const refreshRate = (rounds.get('Duktig')?.[0]?.perSecond ?? Number.NaN) * REFRESH_PART
  const floodRate = (await rawRate(timing.seconds)) * FLOOD_FACTOR
  const seconds = timing.seconds * 2
  const refreshTarget = { ...targetOf('rotating', running.port), connections: REFRESH_CONNECTIONS }
  const signInsTarget = { ...signInTarget(running.port), connections: FLOOD_CONNECTIONS }
  const pid = running.child.pid as number
  const refreshes: OpenLoad = { target: refreshTarget, kind: 'rotating', rate: refreshRate, seconds, pid }
  const signIns: OpenLoad = { target: signInsTarget, kind: 'sign-in', rate: floodRate, seconds, pid }
  // A warm-up: it starts the threads that hash, and compiles the code of sign-ins.
  await openLoop(site.tapes, { ...signIns, seconds: timing.warmUpSeconds })
  const quiet: number[] = []
  const flooded: number[] = []
  const served: number[] = []
  for (let i = 0; i < Math.ceil(timing.rounds / 2); i++) {
    const before = await openLoop(site.tapes, refreshes)
    const [during, signedIn] = await openLoops(site.tapes, [refreshes, signIns])
    if (during === undefined || signedIn === undefined) throw new Error('a load has no result')
    assertAllAnswered(before)
    assertAllAnswered(during)
    quiet.push(before.p99Ms)
    flooded.push(during.p99Ms)
    served.push((signedIn.statuses['200'] ?? 0) / (seconds + WARM_UP_SECONDS))
    context.say(
      `p99 ${quiet.at(-1)?.toFixed(1)} ms, flooded ${flooded.at(-1)?.toFixed(1)} ms; sign-ins ${JSON.stringify(signedIn.statuses)}`,
    )
  }
  await assertAllRotated(running)
  const base = median(quiet)
  return [
    {
      row: 'flood',
      what: 'p99 of refreshes, times',
      unit: '',
      values: flooded.map((p99) => p99 / base),
      aim: { most: 2 },
    },
    { row: 'flood', what: 'p99 without the flood', unit: 'ms', values: quiet },
    { row: 'flood', what: 'p99 during the flood', unit: 'ms', values: flooded },
    {
      row: 'flood',
      what: `sign-ins served of ${Math.round(floodRate)}/s during the flood`,
      unit: '/s',
      values: served,
    },
  ]
}

/** Password checks a second on the server's core, by the hash package alone. */
async function rawRate(seconds: number): Promise<number> {
  const options = { core: SERVER_CORE, env: { PATH: process.env['PATH'] } }
  return Number(await outputOf(process.execPath, [rawScript, String(seconds)], options))
}

function signInTarget(port: number): Target {
  const headers = `X-Auth-Key: ${AUTH_KEY}\n`
  return {
    port,
    method: 'POST',
    path: '/auth/token',
    tokenHeader: '',
    headers,
    connections: SIGN_IN_CONNECTIONS,
  }
}
