/** Rounds: contestants take turns, so that what disturbs the machine disturbs all of them. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type OpenLoopPlan, type OpenLoopResult, WARM_UP_SECONDS } from '../open-loop.ts'
import { type LoadResult, type Target, closedLoop } from './closed-loop.ts'
import { LOAD_CORE, outputOf } from './processes.ts'
import type { Tape, TapeKind, TapeMaker } from './tape.ts'

export interface Round {
  readonly perSecond: number
  readonly p99Ms: number
  /** Processor time of the server for each request, in microseconds; meaningful even when others use the core too. */
  readonly cpuMicros: number
}

export interface Contestant {
  readonly name: string
  /** The server's process. */
  readonly pid: number
  load(seconds: number): Promise<LoadResult>
}

export interface Timing {
  readonly rounds: number
  readonly seconds: number
  /** Load before the first round, until the server's code is compiled and its caches are warm. */
  readonly warmUpSeconds: number
}

/** Runs the rounds in the order A B A B …; returns the rounds of each contestant by name. */
export async function interleaved(
  contestants: readonly Contestant[],
  timing: Timing,
  progress: (text: string) => void,
): Promise<ReadonlyMap<string, readonly Round[]>> {
  const rounds = new Map<string, Round[]>(contestants.map(({ name }) => [name, []]))
  for (const contestant of contestants)
    await alone(contestants, contestant, () => contestant.load(timing.warmUpSeconds))
  for (let i = 0; i < timing.rounds; i++) {
    for (const contestant of contestants) {
      const before = cpuMicrosOf(contestant.pid)
      const load = () => contestant.load(timing.seconds)
      const { requests, seconds, p99Ms } = await alone(contestants, contestant, load)
      const cpuMicros = (cpuMicrosOf(contestant.pid) - before) / requests
      const round = { perSecond: requests / seconds, p99Ms, cpuMicros }
      rounds.get(contestant.name)?.push(round)
      progress(`${contestant.name} ${Math.round(round.perSecond)}/s`)
    }
  }
  return rounds
}

/**
 * Runs `work` while the other contestants stand still: one that was busy before would go on settling what it has
 * appended, on the core of the one that is measured.
 */
async function alone<T>(
  contestants: readonly Contestant[],
  one: Contestant,
  work: () => Promise<T>,
): Promise<T> {
  const others = contestants.filter(({ pid }) => pid !== one.pid).map(({ pid }) => pid)
  return standingStill(others, work)
}

/** Stops processes while `work` runs: what they did in that time would count in none of their rounds. */
export async function standingStill<T>(pids: readonly number[], work: () => T | Promise<T>): Promise<T> {
  try {
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    return await work()
  } finally {
    for (const pid of pids) continueIfAlive(pid)
  }
}

/** Ignores a process that has died: the others must go on, and the measurement of the dead one will report it. */
function continueIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Requests a second that the first tape is made for, before a round has shown the actual rate. */
const FIRST_GUESS = 30_000

/**
 * Makes a load from tapes of a kind; each call goes on where the one before ended. If `pid` is given, the server stands
 * still while the tape is made, which takes seconds.
 */
export function tapeLoad(
  target: Target,
  kind: TapeKind,
  tapes: TapeMaker,
  pid?: number,
): (seconds: number) => Promise<LoadResult> {
  let guess = FIRST_GUESS
  const servers = pid === undefined ? [] : [pid]
  return async (seconds) => {
    const tape = await standingStill(servers, () => tapes.make(kind, Math.ceil(guess * seconds) + 1000))
    const result = await closedLoop(target, tape, seconds)
    tapes.used(kind, result.sent)
    // On a machine that others use, the next round may be several times as fast.
    guess = Math.max(guess / 4, (result.requests / result.seconds) * 4)
    return result
  }
}

/** A load that repeats one tape, for a server that ignores the content of requests. */
export function repeatedLoad(target: Target, tape: Tape): (seconds: number) => Promise<LoadResult> {
  return (seconds) => closedLoop(target, { ...tape, records: Number.POSITIVE_INFINITY }, seconds)
}

const openLoopScript = fileURLToPath(new URL('../open-loop.ts', import.meta.url))
const OPEN_LOOP_CONNECTIONS = 256

export interface OpenLoad extends Pick<OpenLoopPlan, 'rate' | 'seconds'> {
  readonly target: Target
  readonly kind: TapeKind
  /** The server, which stands still while the tape is made. */
  readonly pid?: number
}

/** Measures latency at a fixed rate; the next call goes on where this one ended on the tape. */
export async function openLoop(tapes: TapeMaker, load: OpenLoad): Promise<OpenLoopResult> {
  const [result] = await openLoops(tapes, [load])
  return result as OpenLoopResult
}

/** Like `openLoop`, for several loads at the same time; returns a result for each. */
export async function openLoops(
  tapes: TapeMaker,
  loads: readonly OpenLoad[],
): Promise<readonly OpenLoopResult[]> {
  const results = await generate(tapes, loads)
  results.forEach(({ sent }, i) => {
    tapes.used((loads[i] as OpenLoad).kind, sent)
  })
  return results
}

/** Like `openLoop`, but uses up none of the records: for a server that ignores the content of requests. */
export async function repeatedOpenLoop(tapes: TapeMaker, load: OpenLoad): Promise<OpenLoopResult> {
  const [result] = await generate(tapes, [load])
  return result as OpenLoopResult
}

async function generate(tapes: TapeMaker, loads: readonly OpenLoad[]): Promise<readonly OpenLoopResult[]> {
  const plan = ({ target, kind, rate, seconds }: OpenLoad): OpenLoopPlan => {
    const { file, recordSize } = tapes.make(kind, Math.ceil(rate * (seconds + WARM_UP_SECONDS)) + 100)
    const { port, method, path, tokenHeader, headers, connections = OPEN_LOOP_CONNECTIONS } = target
    return { port, method, path, tokenHeader, headers, connections, file, recordSize, rate, seconds }
  }
  const servers = loads.flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
  const plans = await standingStill(servers, () => loads.map(plan))
  const text = await outputOf(process.execPath, [openLoopScript, JSON.stringify(plans)], {
    core: LOAD_CORE,
    env: { PATH: process.env['PATH'] },
  })
  return JSON.parse(text) as readonly OpenLoopResult[]
}

/** Processor time of a process so far, all threads, in microseconds; NaN where there is no /proc. */
export function cpuMicrosOf(pid: number): number {
  const fields = procFields(pid)
  // Fields 14 and 15 of proc(5): user and system time in ticks of 10 ms.
  return fields === null ? Number.NaN : (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** Bytes that a process has had read from the disk so far; NaN where there is no /proc. */
export function diskBytesReadBy(pid: number): number {
  try {
    return Number(/^read_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
  } catch {
    return Number.NaN
  }
}

function procFields(pid: number): readonly string[] | null {
  try {
    // The second field is the program's name in brackets and may hold anything.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? null
  } catch {
    return null
  }
}

/** The part of a core that a server used in a round. If it is far below one, the load generator was the limit. */
export function shareOfCore({ perSecond, cpuMicros }: Round): number {
  return (perSecond * cpuMicros) / 1e6
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper
}
