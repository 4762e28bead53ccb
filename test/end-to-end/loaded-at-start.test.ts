/** Each module that a start loads costs time and stays in memory, so a service does not load what it seldom needs. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Prints what has been loaded when the service listens, which is when it installs its handlers of signals. */
const PROBE = `
process.on('newListener', (event) => {
  if (event === 'SIGTERM') setImmediate(() => {
    console.log('loaded ' + JSON.stringify([...process.moduleLoadList, ...Object.keys(require.cache)]))
    process.kill(process.pid, 'SIGTERM')
  })
})`

describe('a service at rest has not loaded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-loaded-'))
  let loaded: readonly string[]

  before(async () => {
    const probe = join(folder, 'probe.cjs')
    writeFileSync(probe, PROBE)
    const env = { DUKTIG_DATA_DIR: folder, DUKTIG_PORT: '0', DUKTIG_METRICS_PORT: '0' }
    const args = ['--require', probe, main, 'serve']
    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8')
    })
    await once(child, 'close')
    loaded = JSON.parse(/^loaded (.*)$/m.exec(out)?.[1] ?? '[]') as string[]
    assert.ok(
      loaded.some((name) => name.includes('/node_modules/find-my-way/')),
      out,
    )
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const [what, name] of [
    ['the command line', '/node_modules/commander/'],
    ['an HTTP client', 'NativeModule internal/deps/undici/undici'],
    ['the other engine', '/node_modules/pg/'],
    ['the protocol of an import', '/node_modules/mysql2/'],
    ['the answers to web pages of other origins', '/node_modules/cors/'],
    ['the reading of addresses behind proxies', '/node_modules/@fastify/proxy-addr/'],
    ['bcrypt', '/node_modules/@node-rs/bcrypt/'],
  ] as const) {
    test(what, () =>
      assert.deepEqual(
        loaded.filter((one) => one.includes(name)),
        [],
      ),
    )
  }
})
