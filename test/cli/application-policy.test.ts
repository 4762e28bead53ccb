/** The policy of an application on the command line: it refuses what the settings of the default application refuse. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { policyOf } from '../../src/cli/application/policy.ts'
import { CommandError } from '../../src/cli/terminal.ts'
import { mistakesOf } from '../settings/mistakes.ts'
import { type Operator, newOperator } from '../support/command.ts'

/** The setting and the option of each time, with the name under which commander hands the option over. */
const TIMES = [
  ['DUKTIG_REFRESH_PARALLEL_WINDOW_SECONDS', '--parallel-window', 'parallelWindow'],
  ['DUKTIG_REFRESH_RETRY_WINDOW_SECONDS', '--retry-window', 'retryWindow'],
  ['DUKTIG_SESSION_IDLE_SECONDS', '--idle', 'idle'],
  ['DUKTIG_REFRESH_TOKEN_TTL_SECONDS', '--session-ttl', 'sessionTtl'],
  ['DUKTIG_ACCESS_TOKEN_TTL_SECONDS', '--access-token-ttl', 'accessTokenTtl'],
] as const
const TEXTS =
  '0 1 9 10 59 60 3600 3601 86400 86401 315360000 315360001 1000000000000000 -1 1.5 1e3 x on'.split(' ')

let operator: Operator
before(async () => {
  operator = newOperator()
  await operator.startOnce()
  assert.deepEqual(await run('create', 'page'), [0, ''])
})
after(() => operator.remove())

async function run(...args: readonly string[]): Promise<[code: number | null, err: string]> {
  const { code, err } = await operator.run(['application', ...args])
  return [code, err]
}

describe('a time is refused as that of the settings is', () => {
  for (const [variable, flag, name] of TIMES) {
    test(flag, () => {
      for (const text of TEXTS) {
        const [ofSettings] = mistakesOf({ [variable]: text }).filter((one) => /must be a whole/.test(one))
        const says = refusal({ [name]: text })
        assert.equal(ofSettings, says && `${says.replace(flag, variable)}, not "${text}"`, text)
      }
    })
  }

  function refusal(options: Readonly<Record<string, string>>): string | undefined {
    try {
      policyOf(options)
      return undefined
    } catch (error) {
      assert.ok(error instanceof CommandError)
      return error.message
    }
  }
})

describe('times that contradict each other', () => {
  const rows: readonly (readonly [given: Readonly<Record<string, string>>, ...mistakes: string[]])[] = [
    [{ '--parallel-window': '61' }, '--retry-window (60) must not be less than --parallel-window (61)'],
    [{ '--retry-window': '19' }, '--retry-window (19) must not be less than --parallel-window (20)'],
    [{ '--session-ttl': '899' }, '--access-token-ttl (900) must not exceed --session-ttl (899)'],
    [
      { '--access-token-ttl': '86400', '--session-ttl': '3600' },
      '--access-token-ttl (86400) must not exceed --session-ttl (3600)',
    ],
    [
      { '--retry-window': '19', '--session-ttl': '899' },
      '--retry-window (19) must not be less than --parallel-window (20)',
      '--access-token-ttl (900) must not exceed --session-ttl (899)',
    ],
  ]
  for (const [given, ...mistakes] of rows) {
    const options = Object.entries(given).flat()
    test(`are refused as those of the settings are: ${options.join(' ')}`, async () => {
      const settings = Object.fromEntries(TIMES.map(([variable, flag]) => [variable, given[flag]]))
      const inSettings = (mistake: string) =>
        TIMES.reduce((text, [variable, flag]) => text.replace(flag, variable), mistake)
      assert.deepEqual(mistakesOf(settings), mistakes.map(inSettings))
      const refused = [1, `duktig: ${mistakes.join('; ')}\n`]
      assert.deepEqual(await run('create', 'other', ...options), refused)
      assert.deepEqual(await run('set', 'page', ...options), refused)
    })
  }

  test('do not stand in the way of what touches no time', async () => {
    const path = join(operator.folder, 'data', 'duktig.sqlite')
    using database = new DatabaseSync(path, { timeout: 5000 })
    // As the command line of an earlier version allowed.
    database.exec("update applications set session_ttl_seconds = 600 where client_id = 'page'")
    assert.deepEqual(await run('set', 'page', '--require-key', 'off'), [0, ''])
    assert.equal((await run('set', 'page', '--idle', '3600'))[0], 1)
    database.exec("update applications set session_ttl_seconds = 86400 where client_id = 'page'")
  })

  test('are taken where the other one is changed too', async () => {
    assert.deepEqual(await run('set', 'page', '--session-ttl', '600', '--access-token-ttl', '600'), [0, ''])
  })
})

test('a change of nothing and a client id that is taken are told with what to do', async () => {
  const flags =
    '--rotation, --parallel-window, --retry-window, --idle, --session-ttl, --access-token-ttl, --require-key, ' +
    '--trusted-backend, --name and --enable'
  assert.deepEqual(await run('set', 'page'), [1, `duktig: nothing to change was given; there are ${flags}\n`])
  const taken = 'there is an application page already: choose another client id'
  assert.deepEqual(await run('create', 'page'), [1, `duktig: ${taken}\n`])
})
