/** The copying of the log into the database file, when the disk fails under it alone: commits go on meanwhile. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { sendJson } from '../support/raw-http.ts'
import { AUTH_KEY } from '../support/service.ts'
import { faultVariables } from './fault-variables.ts'
import { PASSWORD, populate } from './population.ts'
import { type RealService, startReal } from './real-service.ts'
import { buildShim, reason, skip } from './shim.ts'

/** Each writes a dozen pages or more, and 256 that have not been copied are due. */
const SIGN_INS = 60

/** A service whose database file, and not its log, can be made to fail with what is written into `faulty`. */
async function siteFor(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-checkpoints-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const variables = faultVariables(folder)
  const [holder] = await populate(variables, 1)
  const file = join(folder, 'data', 'duktig.sqlite')
  const faulty = join(folder, 'switch')
  const environment = {
    LD_PRELOAD: buildShim('refusing', folder),
    REFUSING_DIR: file,
    REFUSING_SWITCH: faulty,
  }
  const service = await startReal(variables, { environment })
  t.after(() => service.kill())
  const signIn = ({ address }: RealService) => {
    const credentials = { email: holder?.email, password: PASSWORD }
    return sendJson(address, 'POST', '/auth/token', { 'X-Auth-Key': AUTH_KEY }, credentials)
  }
  return { variables, file, faulty, service, signIn }
}

test(`a database file that cannot be synced ends the process, and what was answered is there after the next start${reason}`, {
  skip,
}, async (t) => {
  const { variables, file, faulty, service, signIn } = await siteFor(t)
  writeFileSync(faulty, `s${constants.errno.EIO}`)
  const ended = new Promise((resolve) => service.process.once('exit', (_code, signal) => resolve(signal)))
  let refreshToken = ''
  for (let i = 0; i < SIGN_INS && service.process.signalCode === null; i++) {
    const { status, body } = await signIn(service).catch(() => ({ status: 0, body: {} }))
    if (status === 200) refreshToken = (body as { refresh_token: string }).refresh_token
  }
  assert.equal(await ended, 'SIGKILL')
  rmSync(faulty)
  const next = await startReal(variables)
  t.after(() => next.kill())
  const headers = { 'Refresh-Token': refreshToken }
  assert.equal((await sendJson(next.address, 'POST', '/auth/refresh_token', headers)).status, 200)
  await next.stop()
  using database = new DatabaseSync(file)
  assert.deepEqual({ ...database.prepare('pragma integrity_check').get() }, { integrity_check: 'ok' })
})

test(`a full disk under the database file alone takes no descriptors, however often it is tried${reason}`, {
  skip,
}, async (t) => {
  const { file, faulty, service, signIn } = await siteFor(t)
  const descriptors = () => {
    const folder = `/proc/${service.process.pid}/fd`
    return readdirSync(folder).filter((name) => linkOf(join(folder, name)) === file).length
  }
  writeFileSync(faulty, String(constants.errno.ENOSPC))
  for (let i = 0; i < SIGN_INS; i++) assert.equal((await signIn(service)).status, 200)
  // One of the service, two of the thread that copies.
  assert.ok(descriptors() <= 3, `${descriptors()} descriptors`)
  rmSync(faulty)
  assert.equal((await signIn(service)).status, 200)
})

/** Empty where it has been closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
