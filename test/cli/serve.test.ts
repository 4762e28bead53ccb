/** What `duktig serve` prints, even if the start fails. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Operator, type Ran, newOperator } from '../support/command.ts'
import { sendJson } from '../support/raw-http.ts'

const KEY = /^Application key: (duktig_[A-Za-z0-9_-]{43}) /m

let operator: Operator
before(() => {
  operator = newOperator()
})
after(() => operator.remove())

/** A service that answers also handles signals. */
const ping = (address: string) => fetch(`${address}/system/ping`)

/** Starts the service, visits it, and stops it. */
async function startAndStop(visit: (address: string) => Promise<unknown> = ping): Promise<Ran> {
  const visits: Promise<unknown>[] = []
  const ran = await operator.run(['serve'], {
    printed(out, signal) {
      const address = /^Duktig listens on (\S+)\n[^]*API reference/m.exec(out)?.[1]
      if (address === undefined || visits.length > 0) return
      visits.push(visit(address).finally(() => signal('SIGTERM')))
    },
  })
  await Promise.all(visits)
  assert.equal(ran.code, 0, ran.err)
  return ran
}

test('a first start that fails on a taken port has shown the key, which is good from then on', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const failed = await operator.run(['serve'], { variables: { DUKTIG_PORT: String(port) } })
  assert.equal(failed.code, 1)
  const key = KEY.exec(failed.out)?.[1] ?? ''
  assert.notEqual(key, '', failed.out)
  const { out } = await startAndStop(async (address) => {
    const credentials = { email: 'nobody@example.com', password: 'Correct-Horse-1' }
    const answer = await sendJson(address, 'POST', '/auth/token', { 'X-Auth-Key': key }, credentials)
    assert.deepEqual([answer.status, answer.body['message']], [401, 'Incorrect credentials'])
  })
  assert.doesNotMatch(out, KEY)
})

test('every start says how to make the first administrator, until there is an account', async () => {
  const hint = /^ {2}First administrator: +\.\/bin\/duktig account create --email you@example\.com$/m
  assert.match((await startAndStop()).out, hint)
  assert.match((await startAndStop()).out, hint)
  const { code, err } = await operator.run(['account', 'create', '--email', 'admin@example.com'])
  assert.equal(code, 0, err)
  assert.doesNotMatch((await startAndStop()).out, hint)
})

test('a data folder that cannot be written into is told in one sentence', async (t) => {
  const other = newOperator()
  t.after(() => other.remove())
  // A folder where a file should be: tests may run as root, whom no file mode keeps from writing.
  mkdirSync(join(other.folder, 'data', 'duktig.sqlite.service'), { recursive: true })
  const { code, err } = await other.run(['serve'])
  assert.equal(code, 1)
  assert.match(
    err,
    /^duktig: .*\.service cannot be opened: look whether the service may write into .*data \(.*\)\n$/,
  )
})
