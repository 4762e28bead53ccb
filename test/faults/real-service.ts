/** The real program in a process of its own, so that it can be killed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** A start that takes longer has failed, even on a busy machine. */
const START_MS = 60_000

export interface RealService {
  readonly address: string
  /** From the start of the process until it prints the address that it listens on. */
  readonly startedInMs: number
  readonly process: ChildProcess
  /** Kills the process, as a crash would. */
  kill(): Promise<void>
  /** Stops the process as an operator does, with SIGTERM, and waits until it has ended. */
  stop(): Promise<void>
}

export async function startReal(
  variables: Readonly<Record<string, string>>,
  options: {
    readonly main?: string
    readonly environment?: Readonly<Record<string, string>>
    /** An open file that receives the standard error. */
    readonly standardError?: number
    /** A command, with arguments, under which the program runs. */
    readonly under?: readonly string[]
  } = {},
): Promise<RealService> {
  const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('DUKTIG_'))
  const env = { ...Object.fromEntries(outside), ...options.environment, ...variables }
  const startedAtMs = performance.now()
  const [command, ...given] = [...(options.under ?? []), process.execPath, options.main ?? MAIN, 'serve']
  const child = spawn(command, given, {
    env,
    stdio: ['ignore', 'pipe', options.standardError ?? 'pipe'],
  })
  const ended = once(child, 'exit')
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await ended
  }
  const address = await addressOf(child)
  return {
    address,
    startedInMs: performance.now() - startedAtMs,
    process: child,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    const timer = setTimeout(() => fail('it took too long'), START_MS)
    const fail = (why: string) => {
      clearTimeout(timer)
      reject(new assert.AssertionError({ message: `the service did not start: ${why}\n${printed}` }))
    }
    const read = (chunk: Buffer) => {
      printed += chunk.toString()
      const address = /listens on (http:\S+)/.exec(printed)?.[1]
      if (address === undefined) return
      clearTimeout(timer)
      resolve(address)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => fail(`exit code ${code}`))
  })
}
