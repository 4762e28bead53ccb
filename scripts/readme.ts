/**
 * Does what the README tells a new user to do: runs its `sh` blocks in order, in a fresh copy of the project, and
 * compares each output with the block that follows it. In that block `…` stands for any text, and ten digits for any
 * time. `npm start` runs beside the others, as in a terminal of its own, and is stopped at the end whatever happens.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT, copyProject } from '../test/support/copy-project.ts'

interface Block {
  /** Its line in the README. */
  readonly line: number
  readonly commands: string
  /** The output it must have; null where the README shows none. */
  readonly shown: { readonly language: string; readonly text: string } | null
}

const START_MS = 120_000
const BLOCK_MS = 60_000
/** Printed after each block; no command prints it by itself. */
const MARK = `--- end of block ${process.pid} ---`

const copy = mkdtempSync(join(tmpdir(), 'duktig-readme-'))
const children: ChildProcess[] = []
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
process.on('exit', cleanUp)

await runAll(blocksOf(readFileSync(join(ROOT, 'README.md'), 'utf8')))
// Child processes that still run must not keep this process alive; `cleanUp` kills them.
process.exit()

async function runAll(blocks: readonly Block[]): Promise<void> {
  makeCopy()
  const shell = startShell()
  for (const block of blocks) {
    process.stdout.write(`-- README.md, line ${block.line}\n${indented(block.commands, '   $ ')}`)
    try {
      if (block.commands.trim() === 'npm test') process.stdout.write('   left out: CI runs it by itself\n')
      else if (/\bnpm start\b/.test(block.commands)) await start(block)
      else await runIn(shell, block)
    } catch (error) {
      process.stdout.write(`README.md, line ${block.line}: ${(error as Error).message}\n`)
      process.exitCode = 1
      return
    }
  }
  process.stdout.write(`The README holds: ${blocks.length} blocks.\n`)
}

function blocksOf(markdown: string): Block[] {
  const fences = [...markdown.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(
    ({ 1: language = '', 2: text = '', index }) => ({
      language,
      text,
      line: markdown.slice(0, index).split('\n').length,
    }),
  )
  return fences.flatMap(({ language, text, line }, i) => {
    if (language !== 'sh') return []
    const next = fences[i + 1]
    return [{ line, commands: text, shown: next === undefined || next.language === 'sh' ? null : next }]
  })
}

/** Copies the project, and links installed packages so that nothing is fetched again. */
function makeCopy(): void {
  copyProject(copy)
  for (const folder of ['node_modules', 'runtime/node_modules']) {
    if (existsSync(join(ROOT, folder))) symlinkSync(join(ROOT, folder), join(copy, folder))
  }
}

/** One shell for all blocks, so that variables set in one block are there in the next, as in a terminal. */
function startShell(): ChildProcess {
  const shell = startBash(['-s'], 'pipe')
  shell.stdin?.write('set -euo pipefail\n')
  return shell
}

async function runIn(shell: ChildProcess, block: Block): Promise<void> {
  shell.stdin?.write(`{\n${block.commands}\n} </dev/null\nprintf '%s\\n' '${MARK}'\n`)
  const text = await outputUntil(shell, (all) => all.indexOf(MARK), BLOCK_MS)
  process.stdout.write(indented(text, '   '))
  if (block.shown !== null && !patternOf(block.shown).test(text.trim())) {
    throw new Error(`the answer is not what the README shows:\n${block.shown.text}`)
  }
}

async function start(block: Block): Promise<void> {
  const service = startBash(['-c', block.commands], 'ignore')
  const text = await outputUntil(service, (all) => endOfLine(all, 'Duktig listens on http://'), START_MS)
  process.stdout.write(indented(text, '   '))
}

/** Starts bash in a process group of its own, so that nothing it starts is left behind. */
function startBash(args: readonly string[], stdin: 'pipe' | 'ignore'): ChildProcess {
  const child = spawn('bash', args, {
    cwd: copy,
    env: freshEnvironment(),
    stdio: [stdin, 'pipe', 'inherit'],
    detached: true,
  })
  child.stdout?.setEncoding('utf8')
  child.stdin?.on('error', () => {})
  children.push(child)
  return child
}

/** Leaves out the settings of whoever runs this, which a new user does not have. */
function freshEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(DUKTIG_|npm_)/.test(name)))
}

/** Returns what a process prints until `endAt` finds the end. @throws when it exits before, or takes too long */
async function outputUntil(
  child: ChildProcess,
  endAt: (all: string) => number,
  limitMs: number,
): Promise<string> {
  let all = ''
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const onData = (text: string) => {
    all += text
    if (endAt(all) >= 0) resolve(all.slice(0, endAt(all)))
  }
  const onClose = (code: number | null) => reject(new Error(`it ended with code ${code}\n${all}`))
  const timer = setTimeout(
    () => reject(new Error(`it took longer than ${limitMs / 1000} s\n${all}`)),
    limitMs,
  )
  child.stdout?.on('data', onData)
  child.once('close', onClose)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    child.off('close', onClose)
    // Later output is read and discarded: a full pipe would block the process.
    child.stdout?.off('data', onData).resume()
  }
}

function endOfLine(all: string, beginning: string): number {
  const at = all.indexOf(beginning)
  return at < 0 ? -1 : all.indexOf('\n', at)
}

function patternOf({ language, text }: NonNullable<Block['shown']>): RegExp {
  const shown = language === 'json' ? JSON.stringify(JSON.parse(text)) : text.trim()
  const escaped = shown.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('…', '[^]*?').replace(/\b\d{10}\b/g, '\\d{10}')}$`)
}

function indented(text: string, by: string): string {
  return text.trimEnd().replace(/^/gm, by).concat('\n')
}

function cleanUp(): void {
  for (const { pid } of children) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    } catch {
      // The process has already ended.
    }
  }
  rmSync(copy, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
}
