/** `npm run check`: types, lint, format, and generated pages in step with the code. All run, even if one fails. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')

/** Scripts of installed packages, run with the Node that runs this one. */
const CHECKS: readonly (readonly [name: string, script: string, ...args: string[]])[] = [
  ['types', join(modules, 'typescript/bin/tsc'), '--noEmit'],
  [
    'lint',
    join(modules, 'oxlint/bin/oxlint'),
    '--type-aware',
    '--deny-warnings',
    'src',
    'test',
    'scripts',
    'bench',
  ],
  ['format', join(modules, '@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
  ['docs in step', join(root, 'scripts/docs.ts'), '--check'],
]

const failed: string[] = []
for (const [name, script, ...args] of CHECKS) {
  process.stdout.write(`-- ${name}\n`)
  const { status } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    env: withNode(),
    stdio: 'inherit',
  })
  if (status !== 0) failed.push(name)
}
process.stdout.write(failed.length === 0 ? 'All checks pass.\n' : `Failed: ${failed.join(', ')}\n`)
process.exitCode = failed.length === 0 ? 0 : 1

/** Puts this Node and the commands of the packages first in PATH, for what the tools start themselves. */
function withNode(): NodeJS.ProcessEnv {
  const folders = [join(process.execPath, '..'), join(modules, '.bin'), process.env['PATH'] ?? '']
  return { ...process.env, PATH: folders.join(':') }
}
