/** Checkpoints on a failing disk: the database file cannot be written or synced, while commits to the log succeed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  constants as FILES,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
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

/** Enough to make a checkpoint due: each sign-in writes at least a dozen pages, and 256 uncopied pages are due. */
const SIGN_INS = 60

type Site = Awaited<ReturnType<typeof siteFor>>

/** A service with a switch: what is written into `faulty` makes the database file fail, but not its log. */
async function siteFor(t: TestContext, options: Parameters<typeof startReal>[1] = {}) {
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
  const service = await startReal(variables, { ...options, environment })
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
  const site = await siteFor(t)
  const { signal, refreshToken } = await endedBySync(site)
  assert.equal(signal, 'SIGKILL')
  await hasAll(t, site, refreshToken)
})

test(`a database file that cannot be synced ends the process also when its reason cannot be written${reason}`, {
  skip,
}, async (t) => {
  const standardError = openSync('/dev/full', 'w')
  t.after(() => closeSync(standardError))
  const site = await siteFor(t, { standardError })
  const { refreshToken } = await endedBySync(site)
  await hasAll(t, site, refreshToken)
})

test(`a database file that cannot be synced ends the process also when nobody reads its reason${reason}`, {
  skip,
}, async (t) => {
  const standardError = fullPipe(t)
  const site = await siteFor(t, { standardError })
  const { refreshToken } = await endedBySync(site)
  await hasAll(t, site, refreshToken)
})

const first = ['unshare', '-Urpf', '--mount-proc', '--kill-child']
const isAllowed = spawnSync(first[0] as string, [...first.slice(1), 'true']).status === 0
const firstReason = reason !== '' || isAllowed ? reason : ' (skipped: needs a process namespace of its own)'

test(`a database file that cannot be synced ends the first process of a container, which no signal of its own ends${firstReason}`, {
  skip: skip || !isAllowed,
}, async (t) => {
  const site = await siteFor(t, { under: first })
  const { refreshToken } = await endedBySync(site)
  await hasAll(t, site, refreshToken)
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
  // The service holds one, and the checkpoint thread holds two.
  assert.ok(descriptors() <= 3, `${descriptors()} descriptors`)
  rmSync(faulty)
  assert.equal((await signIn(service)).status, 200)
})

/** The target of a link; empty if the descriptor has been closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/**
 * Signs in until the failed sync ends the service. Returns the signal that ended it, and the last refresh token that it
 * issued.
 */
async function endedBySync({ faulty, service, signIn }: Site) {
  const { process: running } = service
  const ended = new Promise((resolve) => running.once('exit', (_code, signal) => resolve(signal)))
  writeFileSync(faulty, `s${constants.errno.EIO}`)
  let refreshToken = ''
  for (let i = 0; i < SIGN_INS && running.exitCode === null && running.signalCode === null; i++) {
    const { status, body } = await signIn(service).catch(() => ({ status: 0, body: {} }))
    if (status === 200) refreshToken = (body as { refresh_token: string }).refresh_token
  }
  const signal = await ended
  rmSync(faulty)
  return { signal, refreshToken }
}

/** Asserts that the next start knows the session of `refreshToken`, and that the database is intact. */
async function hasAll(t: TestContext, { variables, file }: Site, refreshToken: string): Promise<void> {
  const next = await startReal(variables)
  t.after(() => next.kill())
  const headers = { 'Refresh-Token': refreshToken }
  assert.equal((await sendJson(next.address, 'POST', '/auth/refresh_token', headers)).status, 200)
  await next.stop()
  using database = new DatabaseSync(file)
  assert.deepEqual({ ...database.prepare('pragma integrity_check').get() }, { integrity_check: 'ok' })
}

/** A full pipe that nobody reads: a write to it blocks. */
function fullPipe(t: TestContext): number {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-pipe-'))
  const path = join(folder, 'pipe')
  assert.equal(spawnSync('mkfifo', [path]).status, 0)
  const waiting = openSync(path, 'r+')
  const filling = openSync(path, FILES.O_WRONLY | FILES.O_NONBLOCK)
  t.after(() => {
    closeSync(waiting)
    rmSync(folder, { recursive: true })
  })
  // Single bytes come last: they fill a page that the large writes have left partly empty.
  for (const size of [65_536, 1]) {
    try {
      for (;;) writeSync(filling, Buffer.alloc(size))
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN')
    }
  }
  closeSync(filling)
  return waiting
}
