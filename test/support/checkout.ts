/** The real program as its users start it: from a clean copy of this checkout, in a process of its own. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ROOT, copyProject } from './copy-project.ts'

type Variables = Readonly<Record<string, string>>

/** What the program needs to run. */
const NEEDED = ['bin', 'scripts', 'src', 'package.json', 'package-lock.json', 'runtime/package.json']

export interface Checkout {
  readonly folder: string
  /** Runs a command to its end, with `input` on its standard input. */
  run(
    args: readonly string[],
    options?: { readonly input?: string; readonly variables?: Variables },
  ): Promise<Ended>
  /** Starts the service and waits for its address; `stop` must be called. */
  serve(variables?: Variables): Promise<Serving>
  remove(): void
}

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Serving {
  readonly address: string
  /** Its standard output so far. */
  readonly printed: () => string
  signal(name: NodeJS.Signals): void
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>
  stop(): Promise<Ended>
}

/** Copies the project's files to a temporary folder. Packages are symbolic links, so that nothing is downloaded. */
export function copyOfCheckout(): Checkout {
  const lock = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')))
  const stamp = readFileSync(join(ROOT, 'node_modules', '.duktig'), 'utf8')
  assert.ok(
    stamp.startsWith(lock.digest('hex')),
    'the packages are not those of the lock file; run `npm test`',
  )
  const folder = mkdtempSync(join(tmpdir(), 'duktig-checkout-'))
  copyProject(folder, NEEDED)
  mkdirSync(join(folder, 'node_modules'))
  // Each package is linked by itself, so that the copy has its own `.cache`, in which compiled sources are kept.
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter((one) => one !== '.cache')) {
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  }
  const runtime = join('runtime', 'node_modules')
  if (existsSync(join(ROOT, runtime))) symlinkSync(join(ROOT, runtime), join(folder, runtime))
  return {
    folder,
    run: (args, options = {}) => run(folder, args, options),
    serve: (variables = {}) => serve(folder, variables),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function start(folder: string, args: readonly string[], variables: Variables): ChildProcess {
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
  const env = {
    PATH: path,
    HOME: folder,
    DUKTIG_PORT: '0',
    DUKTIG_METRICS_PORT: '0',
  }
  return spawn(join(folder, 'bin', 'duktig'), args, { cwd: folder, env: { ...env, ...variables } })
}

/** Collects what a process prints, until it ends. */
function outputOf(child: ChildProcess): { readonly printed: () => string; readonly ended: Promise<Ended> } {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8')
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8')
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }))
  return { printed: () => out, ended }
}

async function run(
  folder: string,
  args: readonly string[],
  { input = '', variables = {} }: { readonly input?: string; readonly variables?: Variables },
): Promise<Ended> {
  const child = start(folder, args, variables)
  const { ended } = outputOf(child)
  // A command that does not read its input may end before the input is written.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  return ended
}

async function serve(folder: string, variables: Variables): Promise<Serving> {
  const child = start(folder, ['serve'], variables)
  const { printed, ended } = outputOf(child)
  const address = /^Duktig listens on (http:\/\/127\.0\.0\.1:\d+)$/m
  while (!(address.test(printed()) && /Metrics: .+\n/.test(printed()))) {
    if (child.exitCode !== null) throw new Error(`it ended: ${(await ended).err}`)
    await Promise.race([once(child.stdout ?? child, 'data'), ended])
  }
  return {
    address: address.exec(printed())?.[1] ?? '',
    printed,
    ended,
    signal: (name) => {
      child.kill(name)
    },
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}
