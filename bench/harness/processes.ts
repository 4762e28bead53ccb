/**
 * Child processes, each pinned to a core, and temporary folders of a run. Both go when the run ends, however it ends.
 */
import { type ChildProcess, type StdioOptions, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The core of the server under measurement, and the core of everything else. */
export const SERVER_CORE = 0
export const LOAD_CORE = 1

const children = new Set<ChildProcess>()
const folders = new Set<string>()

const canPin = [SERVER_CORE, LOAD_CORE].every((core) => succeeds('taskset', '-c', String(core), 'true'))

/** Whether server and load generator have a core each; the results say so. */
export function isPinned(): boolean {
  return canPin
}

export function hasCommand(name: string): boolean {
  return succeeds('sh', '-c', `command -v ${name}`)
}

function succeeds(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The type number of tmpfs in statfs(2). */
const TMPFS = 0x01021994

/** Whether a folder is in memory (tmpfs), so that nothing written to it reaches a disk. */
export function isInMemory(folder: string): boolean {
  return statfsSync(folder).type === TMPFS
}

/** Moves this process, and so everything it starts later (PostgreSQL among them), to the core of the load. */
export function pinToLoadCore(): void {
  if (canPin)
    execFileSync('taskset', ['-a', '-cp', String(LOAD_CORE), String(process.pid)], { stdio: 'ignore' })
}

export interface StartOptions {
  readonly core: number
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly stdio?: StdioOptions
}

/** Starts a process on a core. With `cleanUpAtEnd`, it is killed when this process ends. */
export function startOn(command: string, args: readonly string[], options: StartOptions): ChildProcess {
  const pinned = canPin ? ['taskset', '-c', String(options.core), command, ...args] : [command, ...args]
  const [program = command, ...rest] = pinned
  const child = spawn(program, rest, {
    env: { ...options.env },
    cwd: options.cwd,
    stdio: options.stdio ?? ['ignore', 'ignore', 'inherit'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Runs a process on a core and returns what it wrote to standard output. @throws when it failed */
export async function outputOf(
  command: string,
  args: readonly string[],
  options: Omit<StartOptions, 'stdio'>,
): Promise<string> {
  const child = startOn(command, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${text.slice(-2000)}`)
  return text
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-bench-'))
  folders.add(folder)
  return folder
}

/** Removes child processes and folders at the end of this process, also when it is interrupted. */
export function cleanUpAtEnd(): void {
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL')
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(code))
  }
}
