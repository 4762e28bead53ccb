/** Ctrl-C at a question. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { newOperator } from '../support/command.ts'

const operator = newOperator()
after(() => operator.remove())

/** A pipe that passes for a terminal: what is written to it are keys. */
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
