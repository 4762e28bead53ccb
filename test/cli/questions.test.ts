/** Questions at the terminal. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readSettings } from '../../src/settings/read-settings.ts'
import { startService } from '../../src/serve.ts'
import { newOperator } from '../support/command.ts'
import { sendJson } from '../support/raw-http.ts'
import { AUTH_KEY, silentLog } from '../support/service.ts'

const operator = newOperator()
after(() => operator.remove())

/** Makes a pipe pass for a terminal: what is written to it are keystrokes. */
const terminal = join(operator.folder, 'terminal.cjs')
writeFileSync(terminal, 'process.stdin.isTTY = true')

const CTRL_C = '\u0003'

for (const [what, options, asked] of [
  ['an e-mail address', [], /E-mail: /],
  ['a password', ['--email', 'admin@example.com'], /Password \(empty: one is made and shown\): /],
] as const) {
  test(`Ctrl-C where ${what} is asked for ends the command quietly, and nothing is done`, async () => {
    const { code, out, err } = await operator.run(['account', 'create', ...options], {
      input: CTRL_C,
      require: terminal,
    })
    assert.deepEqual([code, err], [130, ''])
    assert.match(out, asked)
    assert.doesNotMatch(out, /created/)
  })
}

test('a password that is typed begins and ends with the spaces that it was given', async () => {
  const email = 'spaces@example.com'
  const password = ' right1password '
  const { code, err } = await operator.run(['account', 'create', '--email', email], {
    typed: [
      { at: 'Password (empty: one is made and shown): ', keys: `${password}\r` },
      { at: 'Again: ', keys: `${password}\r` },
    ],
    require: terminal,
  })
  assert.deepEqual([code, err], [0, ''])
  const service = await startService(
    readSettings({
      DUKTIG_DATA_DIR: join(operator.folder, 'data'),
      DUKTIG_AUTH_KEY: AUTH_KEY,
      DUKTIG_PORT: '0',
      DUKTIG_METRICS_PORT: '0',
    }),
    { log: silentLog },
  )
  try {
    const headers = { 'X-Auth-Key': AUTH_KEY }
    const statuses = [password, password.trim()].map(async (each) => {
      const body = { email, password: each }
      return (await sendJson(service.address, 'POST', '/auth/token', headers, body)).status
    })
    assert.deepEqual(await Promise.all(statuses), [200, 401])
  } finally {
    await service.stop()
  }
})
