/** Defects of what the service stands on: the launcher goes past a Node that has them, to the one it brings along. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HERE = 'in the Node that is there'
const BROUGHT = 'in the Node that was brought along'

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'duktig-versions-'))
  for (const file of ['package-lock.json', 'scripts/bootstrap.mjs', 'scripts/run.mjs'])
    cpSync(join(ROOT, file), join(folder, file))
  const bin = join(folder, 'runtime', 'node_modules', 'node-of-a-test', 'bin')
  for (const needed of [bin, join(folder, 'node_modules')]) mkdirSync(needed, { recursive: true })
  // The stamp says that all packages are there, so that nothing is installed.
  const lock = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')))
  writeFileSync(join(folder, 'node_modules', '.duktig'), `${lock.digest('hex')} all`)
  writeFileSync(join(bin, 'node'), `#!/bin/sh\necho ${BROUGHT}\n`, { mode: 0o755 })
  writeFileSync(join(folder, 'script.mjs'), `console.log('${HERE}')`)
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** Where the launcher runs a script, if the Node that is there has these versions. */
function ranIn(node: string, sqlite: string | null): string {
  const versions = `{ ...process.versions, ...${JSON.stringify({ node, sqlite })} }`
  const pretence = `Object.defineProperty(process, 'versions', { value: ${versions} })`
  const args = ['--import', `data:text/javascript,${encodeURIComponent(pretence)}`]
  const { stdout, stderr } = spawnSync(process.execPath, [...args, 'scripts/run.mjs', 'script.mjs'], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.equal(stderr, '')
  return stdout.trimEnd()
}

test("SQLite's WAL-reset bug: a Node whose SQLite has it, or that is too old, runs nothing of ours", () => {
  const rows = [
    ['24.0.0', '3.51.3', HERE],
    ['24.15.0', '3.53.0', HERE],
    ['100.0.0', '4.0.0', HERE],
    ['24.0.0', '3.51.2', BROUGHT],
    ['26.10.0', '3.50.10', BROUGHT],
    ['26.10.0', '3.9.4', BROUGHT],
    ['26.10.0', '2.99.99', BROUGHT],
    ['26.10.0', null, BROUGHT],
    ['23.99.99', '3.51.3', BROUGHT],
    ['9.0.0', '3.51.3', BROUGHT],
  ] as const
  for (const [node, sqlite, where] of rows)
    assert.equal(ranIn(node, sqlite), where, `Node ${node} with SQLite ${sqlite}`)
})
