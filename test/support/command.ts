/** Runs commands as an operator does, on a fresh data folder. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startService } from '../../src/serve.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { silentLog } from './service.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Operator {
  /** The working folder of the commands, so that they read no `.env` of a checkout. The data folder is `data` in it. */
  readonly folder: string
  /** Runs a command to its end, with `input` on its standard input. */
  run(args: readonly string[], options?: RunOptions): Promise<Ran>
  /** Environment variables of a service on that folder, which listens on free ports. */
  readonly variables: Readonly<Record<string, string>>
  /** Starts and stops the service in this process, to create what a first start creates. */
  startOnce(variables?: Readonly<Record<string, string>>): Promise<void>
  remove(): void
}

interface RunOptions {
  readonly input?: string | Buffer
  /** What the operator types at prompts: `keys`, once the output ends with `at`. */
  readonly typed?: readonly { readonly at: string; readonly keys: string }[]
  readonly variables?: Readonly<Record<string, string>>
  /** A module that is loaded before the program. */
  readonly require?: string
  /** Called with the whole output so far, each time the program prints. */
  readonly printed?: (out: string, signal: (name: NodeJS.Signals) => void) => void
}

export function newOperator(): Operator {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-command-'))
  const variables = { DUKTIG_DATA_DIR: join(folder, 'data'), DUKTIG_PORT: '0', DUKTIG_METRICS_PORT: '0' }
  return {
    folder,
    variables,
    run: (args, options = {}) => run(folder, args, options),
    async startOnce(others = {}) {
      await (await startService(readSettings({ ...variables, ...others }), { log: silentLog })).stop()
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function run(folder: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const { input = '', typed = [], variables = {}, require, printed } = options
  const toType = [...typed]
  const env = { PATH: process.env['PATH'], DUKTIG_PORT: '0', DUKTIG_METRICS_PORT: '0', ...variables }
  const before = require === undefined ? [] : ['--require', require]
  const child = spawn(process.execPath, [...before, MAIN, ...args], { env, cwd: folder })
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString()
    printed?.(said.out, (name) => child.kill(name))
    const next = toType[0]
    if (next !== undefined && said.out.endsWith(next.at)) {
      toType.shift()
      child.stdin.write(next.keys)
    }
  })
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()))
  // A command that does not read its input may end before the input is written.
  child.stdin.on('error', () => {})
  if (typed.length === 0) child.stdin.end(input)
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...said })))
}
