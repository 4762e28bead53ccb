/** C libraries that tests preload into a service; compiled when a suite starts. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0)

/** Whether this machine cannot build or preload them, and the words that the names of skipped tests then end with. */
export const skip = process.platform !== 'linux' || compiler === undefined
export const reason = skip ? ' (skipped: needs Linux and a C compiler)' : ''

/** Compiles `name`.c into `folder`. Returns the library's path. */
export function buildShim(name: string, folder: string): string {
  const library = join(folder, `${name}.so`)
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url))
  const built = spawnSync(compiler ?? 'cc', [
    '-shared',
    '-fPIC',
    '-O1',
    '-o',
    library,
    source,
    '-ldl',
    '-lpthread',
  ])
  assert.equal(built.status, 0, String(built.stderr))
  return library
}
