/** What `--help` says about choices that matter. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { newOperator } from '../support/command.ts'

const operator = newOperator()
after(() => operator.remove())

/** The help text on one line, so that the width of the terminal does not matter. */
async function help(...command: readonly string[]): Promise<string> {
  const { code, out, err } = await operator.run([...command, '--help'])
  assert.equal(code, 0, err)
  return out.replace(/\s+/g, ' ')
}

test('that a terminated account stays so is said before it is too late', async () => {
  assert.match(await help('account', 'set-status'), /; terminated cannot be undone /)
})

test('the defaults of role and status are words, as the values are', async () => {
  const text = await help('account', 'create')
  assert.match(text, /developer \(default: "super-admin"\)/)
  assert.match(text, /terminated \(default: "active"\)/)
})
