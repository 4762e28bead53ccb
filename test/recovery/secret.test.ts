/** The master secret, without which a database is useless. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSettings } from '../../src/settings/read-settings.ts'
import { SealError } from '../../src/tokens/seal.ts'
import { start, withService } from './clients.ts'
import { sqliteSite } from './site.ts'

test('a lost master secret is asked for, and not replaced by another', async (t) => {
  const site = await sqliteSite()
  t.after(() => site.remove())
  await withService(site, async () => {})
  const { dataDir } = readSettings(site.variables)
  const file = join(dataDir, 'secret')
  renameSync(file, `${file}.away`)
  for (let i = 0; i < 2; i++) {
    await assert.rejects(start(site), (error: Error) => {
      assert.ok(error instanceof SealError)
      assert.match(error.message, new RegExp(`master secret is missing.*put ${file} back.*DUKTIG_SECRET`))
      return true
    })
    assert.equal(existsSync(file), false)
  }
  renameSync(`${file}.away`, file)
  await withService(site, async () => {})
})

test('a file that is too short for a master secret is refused, and nothing is sealed with it', async (t) => {
  const site = await sqliteSite()
  t.after(() => site.remove())
  const { dataDir } = readSettings(site.variables)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, 'secret')
  for (const content of ['', ' \n', 'short-one!\n']) {
    writeFileSync(file, content)
    await assert.rejects(start(site), (error: Error) => {
      assert.ok(error instanceof SealError)
      assert.match(error.message, /secret has less than 32 characters and is no master secret/)
      return true
    })
  }
  assert.equal(await site.number('select count(*) from signing_keys'), 0)
  rmSync(file)
  await withService(site, async () => {})
})
