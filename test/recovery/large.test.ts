/** Journals of a large site: more than fits into memory, and files that are too large for a string of Node's. */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, globSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { journalFolder } from '../../src/open-store.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import { newOperator } from '../support/command.ts'
import { sendJson } from '../support/raw-http.ts'
import { ALL, reasonOf, recoverSite, refusesToStart, signedIn, withService } from './clients.ts'
import { sqliteSite } from './site.ts'

const MIB = 1024 * 1024

/** A site with one session, and a journal that the test may change. */
async function siteOf(t: TestContext) {
  const site = await sqliteSite()
  t.after(() => site.remove())
  const token = await signedIn(site)
  const folder = journalFolder(readSettings(site.variables))
  const [file = ''] = globSync(`${folder}/*.jsonl`)
  return { site, token, folder, file }
}

const end = (sessionId: string, write: number, atMs = Date.now()) =>
  `${JSON.stringify({ kind: 'session', sessionId, reason: 'signed-out', atMs, write })}\n`

test('commands, a start and a recovery need no memory for the ends in the journals', async (t) => {
  const operator = newOperator()
  t.after(() => operator.remove())
  const { folder, run } = operator
  await operator.startOnce()
  assert.equal((await run(['account', 'create', '--email', 'ani@example.com'])).code, 0)
  const [file = ''] = globSync(join(folder, 'data', 'journal', '*.jsonl'))
  const ends = Array.from({ length: 300_000 }, (_, i) => end(`somebody-s-session-${i}`, 1))
  // The looks of a service that has run for some time.
  const looks = [2, 1].map((hoursAgo, i) => {
    const atMs = Date.now() - hoursAgo * LIMITS.journalLookMs
    return `${JSON.stringify({ kind: 'complete', atMs, write: 2 + i })}\n`
  })
  appendFileSync(file, [...ends, ...looks].join(''))
  {
    using database = new DatabaseSync(join(folder, 'data', 'duktig.sqlite'))
    database.exec('update instances set writes = 1000')
  }
  const variables = { NODE_OPTIONS: '--max-old-space-size=40' }
  // A service that answers also handles signals.
  const visited = new Set<string>()
  const printed = (out: string, signal: (name: NodeJS.Signals) => void) => {
    const address = /listens on (\S+)\n/.exec(out)?.[1]
    if (address === undefined || visited.has(address)) return
    visited.add(address)
    void sendJson(address, 'GET', '/health/live').finally(() => signal('SIGTERM'))
  }
  for (const args of [['account', 'list'], ['doctor'], ['serve'], ['recover']]) {
    const { code, out, err } = await run(args, { variables, printed })
    assert.equal(code, 0, `${args.join(' ')}: ${out}${err.slice(0, 500)}`)
  }
  assert.equal(visited.size, 1)
})

test('a file that no string can hold is read from its end by a start, and by a recovery line by line', async (t) => {
  const { site, token, file } = await siteOf(t)
  // The gap is a hole in the file, which takes no room on the disk; it counts as damage.
  truncateSync(file, 520 * MIB)
  appendFileSync(file, `\n${end('another', 1000)}`)
  await refusesToStart(site, /older than the journal/)
  const { damaged, endedAll } = await recoverSite(site, ALL)
  assert.deepEqual([damaged, endedAll], [[resolve(file)], true])
  assert.equal(await reasonOf(site, token), 'store-restored')
})

test('a recovery removes no file that is too old, since it reads it twice; the next start does', async (t) => {
  const { site, file } = await siteOf(t)
  const [header = ''] = readFileSync(file, 'utf8').split('\n')
  const atMs = Date.now() - 2 * LIMITS.journalKeptMs
  const old = file.replace(/\/\d+-([^/]*)-\d+-\d+\.jsonl$/, `/${atMs}-$1-1-0.jsonl`)
  writeFileSync(old, `${header.replace(/"openedAtMs":\d+/, `"openedAtMs":${atMs}`)}\n${end('old', 1, atMs)}`)
  const { entries } = await recoverSite(site, ALL)
  assert.ok(entries > 0)
  assert.equal(existsSync(old), true)
  await withService(site, async () => {})
  assert.equal(existsSync(old), false)
})
