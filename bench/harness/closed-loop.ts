/** Measures throughput: each connection sends its next request as soon as it has the answer. */
import { fileURLToPath } from 'node:url'
import { installPeers, peersFolder } from './peers.ts'
import { LOAD_CORE, hasCommand, outputOf } from './processes.ts'
import type { Tape } from './tape.ts'

export const CONNECTIONS = 64

export interface Target {
  readonly port: number
  readonly method: string
  readonly path: string
  /** The header that carries the tape's record; empty to send the record as a JSON body. */
  readonly tokenHeader: string
  /** More headers, each ending in a line feed; a `%s` becomes a number of its own in each request. */
  readonly headers: string
  /**
   * For OAuth token endpoints: the form before the refresh token. After those of the tape, tokens come from answers.
   */
  readonly chainBody?: string
  readonly connections?: number
}

export interface LoadResult {
  readonly requests: number
  /** Records taken from the tape, whether they were answered or not. */
  readonly sent: number
  readonly seconds: number
  /** Answers with a status of 400 or more. */
  readonly refused: number
  readonly broken: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const lua = (name: string) => fileURLToPath(new URL(name, import.meta.url))

export function loadGenerator(): 'wrk' | 'autocannon' {
  return hasCommand('wrk') ? 'wrk' : 'autocannon'
}

/** Runs `seconds` of load. @throws when a request was refused or broken, or the tape was too short */
export async function closedLoop(target: Target, tape: Tape, seconds: number): Promise<LoadResult> {
  const run = loadGenerator() === 'wrk' ? runWrk : runAutocannon
  const text = await run(target, tape, seconds)
  const line = text.split('\n').find((candidate) => candidate.startsWith('RESULT '))
  if (line === undefined) throw new Error(`the load generator said nothing: ${text}`)
  const result = JSON.parse(line.slice('RESULT '.length)) as LoadResult
  const what = `${target.method} ${target.path}`
  // Checked first: a tape that is too short sends tokens twice, and those are refused.
  if (target.chainBody === undefined && result.sent > tape.records)
    throw new Error(`${what}: the tape of ${tape.records} records was too short`)
  if (result.refused > 0 || result.broken > 0)
    throw new Error(`${what}: ${result.refused} refused, ${result.broken} broken of ${result.requests}`)
  return result
}

function runWrk(target: Target, tape: Tape, seconds: number): Promise<string> {
  const { method, path, tokenHeader, headers, chainBody, connections = CONNECTIONS } = target
  const script = lua(chainBody === undefined ? 'wrk.lua' : 'wrk-chain.lua')
  const flags = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '-s', script]
  const size = String(tape.recordSize)
  const args =
    chainBody === undefined
      ? [tape.file, size, method, path, tokenHeader, headers]
      : [tape.file, size, path, chainBody]
  return outputOf('wrk', [...flags, `http://127.0.0.1:${target.port}`, '--', ...args], onLoadCore())
}

async function runAutocannon(target: Target, tape: Tape, seconds: number): Promise<string> {
  installPeers()
  const { file, recordSize } = tape
  const plan = { connections: CONNECTIONS, chainBody: null, ...target, file, recordSize, seconds }
  const script = `${peersFolder}/autocannon.mjs`
  return outputOf(process.execPath, [script, JSON.stringify(plan)], onLoadCore())
}

function onLoadCore(): { core: number; env: Record<string, string | undefined> } {
  return { core: LOAD_CORE, env: { PATH: process.env['PATH'] } }
}
