/** The bound on wrong passwords in a row, over all sources of an account. Hashes are counted, not computed. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { compose } from '../../src/compose.ts'
import type { Application } from '../../src/core/application.ts'
import { isDenial } from '../../src/core/denial.ts'
import { ensureDefaultApplication } from '../../src/default-application.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { signIn } from '../../src/usecases/sign-in.ts'
import { aPerson } from '../support/people.ts'
import { AUTH_KEY, silentLog } from '../support/service.ts'

const EMAIL = 'owner@example.com'
const PASSWORD = 'right1password'
const HOME = '203.0.113.7'
/** The longest wait between two tries. */
const WAIT_MS = 900_000

/** An account, tries to sign in to it, and how many of them reached the hash. */
async function aSite(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-failures-'))
  let nowMs = Date.UTC(2026, 0, 1)
  let checked = 0
  const settings = readSettings({ DUKTIG_DATA_DIR: folder, DUKTIG_AUTH_KEY: AUTH_KEY })
  const { store } = await openSqlite(join(folder, 'duktig.sqlite'), { nowMs: () => nowMs })
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  await ensureDefaultApplication(settings, store)
  const composed = await compose(settings, store, silentLog)
  const verify = async (hash: string, password: string) => {
    checked++
    return hash === `plain:${password}`
  }
  const hash = async (password: string) => `plain:${password}`
  const deps = { ...composed.deps, passwords: { ...composed.deps.passwords, hash, verify } }
  const application = (await store.findApplication(1)) as Application
  await store.createAccount({ ...aPerson(), email: EMAIL, passwordHash: `plain:${PASSWORD}` })
  return {
    checked: () => checked,
    attempt: (password: string, address: string, deviceToken = '') => {
      // So late that no wait is left, whatever came before.
      nowMs += WAIT_MS
      const device = { address, userAgent: null, deviceId: null }
      return signIn(deps, { application, email: EMAIL, password, device, deviceToken })
    },
  }
}

test('the owner, his address and strangers together reach the hash at most 100 times in a row', async (t) => {
  const { attempt, checked } = await aSite(t)
  const first = await attempt(PASSWORD, HOME)
  assert.ok(!isDenial(first))
  const before = checked()
  const sources = (i: number) =>
    [
      [`198.51.100.${i}`, first.deviceToken],
      [HOME, ''],
      [`192.0.2.${i}`, ''],
    ] as const
  for (let i = 0; i < 250; i++)
    for (const [address, deviceToken] of sources(i))
      assert.ok(isDenial(await attempt('wrong1guess', address, deviceToken)))
  const failures = checked() - before
  assert.ok(failures > 0 && failures <= 100, `${failures} guesses reached the hash`)
  for (const [address, deviceToken] of sources(251)) {
    const answer = await attempt(PASSWORD, address, deviceToken)
    assert.ok(isDenial(answer) && answer.denied === 'too-many-attempts', 'every source has used up its tries')
  }
})
