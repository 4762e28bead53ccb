/** How commands react to ordinary mistakes: they print one sentence, and do nothing. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { policyOf } from '../../src/cli/application/policy.ts'
import { type Operator, newOperator } from '../support/command.ts'

const EMAIL = 'ani@example.com'

let operator: Operator
before(async () => {
  operator = newOperator()
  const { code, err } = await operator.run(['account', 'create', '--email', EMAIL])
  assert.equal(code, 0, err)
})
after(() => operator.remove())

async function refusal(
  args: readonly string[],
  input = '',
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { code, out, err } = await operator.run(args, { input, variables })
  assert.deepEqual([code, out], [1, ''])
  return err
}

test('what no command or option is named is told with the help that lists them', async () => {
  for (const [args, says, help] of [
    [['frob'], "unknown command 'frob'", 'duktig'],
    [['account', 'frob'], "unknown command 'frob'", 'duktig account'],
    [['account', 'create', '--frob'], "unknown option '--frob'", 'duktig account create'],
    [['restore'], "missing required argument 'file'", 'duktig restore'],
  ] as const)
    assert.equal(await refusal(args), `duktig: ${says}\n\`${help} --help\` lists what it takes\n`)
})

test('a display name is a text of 1 to 100 characters', async () => {
  for (const name of ['', ' ', 'x'.repeat(101)])
    assert.equal(
      await refusal(['application', 'create', 'shop', '--name', name]),
      'duktig: --name must have 1 to 100 characters, not only spaces\n',
    )
  assert.deepEqual(policyOf({ name: 'x'.repeat(100) }), { name: 'x'.repeat(100) })
})

test('mistakes in several options are told at once', async () => {
  assert.equal(
    await refusal(['application', 'create', '77', '--idle', '-1', '--rotation', 'maybe', '--name', '']),
    'duktig: the client id must have 3 to 64 letters, digits, hyphens or dots, and at least one letter; --rotation must be one of: on, off; --idle must be a whole number, 0 to 315360000; ' +
      '--name must have 1 to 100 characters, not only spaces\n',
  )
  assert.equal(
    await refusal(['account', 'create', '--email', 'ani', '--first-name', '', '--phone', '1'.repeat(99)]),
    'duktig: --email must be a valid e-mail address; --first-name must have 2 to 15 characters; ' +
      '--phone must have 6 to 20 characters\n',
  )
})

test('a password that is to come from an empty standard input is missed, and none is made', async () => {
  const says = 'duktig: standard input was empty: write the password to it\n'
  const create = ['account', 'create', '--email', 'new@example.com', '--password-stdin']
  for (const input of ['', '\n']) {
    assert.equal(await refusal(create, input), says)
    assert.equal(await refusal(['account', 'set-password', EMAIL, '--password-stdin'], input), says)
  }
  assert.doesNotMatch((await operator.run(['account', 'list'])).out, /new@example\.com/)
  const { out } = await operator.run(['audit', '--account', 'system'])
  assert.doesNotMatch(out, /Account 1 changed/)
})

test('a password that is no UTF-8 is refused, as over HTTP', async () => {
  const { code, err } = await operator.run(['account', 'set-password', EMAIL, '--password-stdin'], {
    input: Buffer.from('P\xe4ssword1!', 'latin1'),
  })
  assert.deepEqual([code, err], [1, 'duktig: standard input is no UTF-8: write the password in UTF-8\n'])
})

test('a password that is too short is refused with the rule, and with the minimum of the settings if there is one', async () => {
  const args = ['account', 'set-password', EMAIL, '--password-stdin']
  const rule =
    '6 to 256 bytes and two of: lower case, upper case, digit, symbol, and must not be a common one\n'
  assert.equal(await refusal(args, 'abcd1'), `duktig: the password must have ${rule}`)
  const variables = { DUKTIG_PASSWORD_MIN_LENGTH: '15' }
  const { code, err } = await operator.run(args, {
    input: 'a\u{1f600}\u{1f600}\u{1f600}\u{1f600}',
    variables,
  })
  assert.deepEqual([code, err], [1, `duktig: the password must have at least 15 characters, ${rule}`])
})

test('a backup into a folder that does not exist says which one to make', async () => {
  const says = 'duktig: the folder backups does not exist: make it first\n'
  assert.equal(await refusal(['backup', 'backups/monday.sqlite']), says)
  const { code, err } = await operator.run(['backup', 'monday.sqlite'])
  assert.equal(code, 0, err)
  assert.ok(existsSync(join(operator.folder, 'monday.sqlite')))
  const again = 'duktig: monday.sqlite exists already: name another file, or remove this one first\n'
  assert.equal(await refusal(['backup', 'monday.sqlite']), again)
})

test('a name that is not there is told with the command that lists those that are', async () => {
  const account = 'duktig: there is no account nobody@example.com: `duktig account list` shows them all\n'
  for (const args of [
    ['account', 'end-sessions', 'nobody@example.com'],
    ['audit', '--account', 'nobody@example.com'],
  ])
    assert.equal(await refusal(args), account)
  const application = 'duktig: there is no application page: `duktig application list` shows them all\n'
  assert.equal(await refusal(['application', 'disable', 'page']), application)
})

test('a password that the policy refuses is told with what one must have', async () => {
  const says =
    'duktig: the password must have 6 to 256 bytes and two of: lower case, upper case, digit, symbol, and must not be a common one\n'
  assert.equal(await refusal(['account', 'set-password', EMAIL, '--password-stdin'], 'weak\n'), says)
})

test('a backup that cannot be written is told with the reason, and leaves nothing behind', async () => {
  const name = `${'long'.repeat(80)}.sqlite`
  const says = new RegExp(`^duktig: the backup could not be written to ${name}: ENAMETOOLONG.*\\n$`)
  assert.match(await refusal(['backup', name]), says)
  assert.deepEqual(
    readdirSync(operator.folder).filter((file) => file.endsWith('.partial')),
    [],
  )
})

test('a file in place of the folder of a journal is told', async () => {
  writeFileSync(join(operator.folder, 'journal.jsonl'), '')
  const err = await refusal(['recover', '--journals', 'journal.jsonl'])
  assert.match(err, /^duktig: the journal folder journal\.jsonl cannot be read: ENOTDIR.*\n$/)
})

test('a name that every object knows is no role and no account', async () => {
  assert.match(
    await refusal(['account', 'set-role', EMAIL, 'constructor']),
    /^duktig: no such role: constructor/,
  )
  assert.match(await refusal(['audit', '--account', 'toString']), /^duktig: .*\n$/)
})

test('an account without an address is told that --email is missing, where nobody can be asked', async () => {
  const says = 'duktig: --email is missing, and there is no terminal to ask at\n'
  assert.equal(await refusal(['account', 'create']), says)
  assert.match(await refusal(['account', 'create', '--email', 'ani']), /^duktig: --email must be a valid/)
})

test('what needs a service that has run makes no database in a wrong folder', async () => {
  const variables = { DUKTIG_DATA_DIR: 'elsewhere' }
  const advice = 'name another one with DUKTIG_DATA_DIR, or fill it by `duktig serve`\n'
  const folder = `the data folder ${realpathSync(operator.folder)}/elsewhere`
  const says = `duktig: there is nothing in ${folder} yet: ${advice}`
  for (const args of [
    ['account', 'list'],
    ['account', 'end-sessions', EMAIL],
    ['application', 'list'],
    ['keys', 'list'],
    ['audit'],
  ])
    assert.deepEqual(await operator.run(args, { variables }), { code: 1, out: '', err: says })
  assert.equal(existsSync(join(operator.folder, 'elsewhere')), false)
  mkdirSync(join(operator.folder, 'elsewhere'))
  writeFileSync(join(operator.folder, 'elsewhere', 'notes'), '')
  const err = `duktig: there is no database in ${folder} yet: ${advice}`
  assert.deepEqual(await operator.run(['keys', 'list'], { variables }), { code: 1, out: '', err })
  const doctor = await operator.run(['doctor'], { variables })
  assert.match(doctor.out, /\nmend {7}there is no database in the data folder /)
  assert.deepEqual(readdirSync(join(operator.folder, 'elsewhere')), ['notes'])
})

test('a PostgreSQL that cannot be reached is told with the setting that names it, and without its password', async () => {
  const variables = { DUKTIG_DATABASE_URL: 'postgres://duktig:hidden@127.0.0.1:1/duktig' }
  assert.match(
    await refusal(['account', 'list'], '', variables),
    /^duktig: the database of DUKTIG_DATABASE_URL cannot be used: PostgreSQL: connect ECONNREFUSED 127\.0\.0\.1:1\n$/,
  )
})

test('a trail of no actions is told instead of printing nothing', async () => {
  const says = 'duktig: --limit 0 prints nothing: add --follow, or ask for at least one action\n'
  assert.equal(await refusal(['audit', '--limit', '0']), says)
})
