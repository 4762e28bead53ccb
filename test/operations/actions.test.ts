/** The recorder of actions, over a real SQLite store that the tests break in different ways. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createDateFormat } from '../../src/core/dates.ts'
import { ActionRecorder, type RecorderOptions } from '../../src/operations/action-recorder.ts'
import { LogTallies, countedLog } from '../../src/operations/log-tally.ts'
import type { Log } from '../../src/operations/log.ts'
import type { ActionGroup } from '../../src/store/action-store.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import type { Action } from '../../src/usecases/events.ts'
import { silentLog } from '../support/service.ts'

const NOON = Date.UTC(2026, 2, 10, 12)
const clock = { nowMs: () => NOON }
const READ: Action = { accountId: 7, code: 'User->getAccount', message: 'Account read' }
const SIGN_IN: Action = { accountId: 7, code: 'Auth->Authorize', message: 'Signed in', sessionId: 's' }

let folder: string
let store: Store
let dropped: number
let errors: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'duktig-actions-'))
  dropped = 0
  errors = []
  await open()
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

async function open(): Promise<void> {
  store = (await openSqlite(join(folder, 'duktig.sqlite'), clock)).store
}

/** A recorder over the store, as a process would have one; `write` stands between the two. */
function recorder(
  options: Partial<RecorderOptions> & { write?: (group: ActionGroup) => Promise<boolean> } = {},
): ActionRecorder {
  const write = options.write ?? ((group) => store.recordActions(group))
  return new ActionRecorder({
    store: { recordActions: write },
    clock,
    folder,
    log: { ...silentLog, error: ((_: object, message: string) => errors.push(message)) as Log['error'] },
    tallies: new LogTallies(clock, createDateFormat('UTC'), () => {}),
    dropped: (count) => {
      dropped += count
    },
    ...options,
  })
}

/** A way to the store that can be broken and mended. */
function breakable() {
  const way = { isBroken: false, tries: 0, write }
  function write(group: ActionGroup): Promise<boolean> {
    way.tries += 1
    return way.isBroken ? Promise.reject(new StoreUnavailable('broken')) : store.recordActions(group)
  }
  return way
}

function numbered(action: Action, count: number): Action[] {
  return Array.from({ length: count }, (_, i) => ({ ...action, message: `${action.code} ${i}` }))
}

/** What the store holds, in the order in which it was recorded. */
async function messages(): Promise<string[]> {
  const found = await store.latestActions(100_000)
  return found.map(({ message }) => message).toReversed()
}

const files = () => readdirSync(folder).filter((name) => name.startsWith('actions-'))
const messagesOf = (actions: readonly Action[]) => actions.map(({ message }) => message)

describe('while all is well', () => {
  test('actions are written in groups, whole and in their order', async () => {
    const groups: number[] = []
    const own = recorder({
      write(group) {
        groups.push(group.actions.length)
        return store.recordActions(group)
      },
    })
    const actions = numbered(SIGN_IN, 1200)
    for (const action of actions) own.action(action)
    await own.flush()
    assert.deepEqual(groups, [500, 500, 200])
    assert.deepEqual(await messages(), messagesOf(actions))
    const [last] = await store.latestActions(1)
    const { code, accountId, sessionId } = SIGN_IN
    const expected = { id: 1200, accountId, code, message: 'Auth->Authorize 1199', atMs: NOON }
    assert.deepEqual(last, { ...expected, address: null, sessionId })
  })

  test('no write starts before the one before it has ended', async () => {
    let [running, most] = [0, 0]
    const own = recorder({
      async write(group) {
        running += 1
        most = Math.max(most, running)
        const written = await store.recordActions(group)
        running -= 1
        return written
      },
    })
    for (let i = 0; i < 20; i++) {
      for (const action of numbered(READ, 150)) own.action(action)
      await Promise.race([own.flush(), Promise.resolve()])
    }
    await own.flush()
    assert.equal(most, 1)
    assert.equal((await messages()).length, 3000)
  })

  test('a clean stop loses nothing', async () => {
    const own = recorder()
    for (const action of numbered(READ, 700)) own.action(action)
    await own.stop()
    assert.equal((await messages()).length, 700)
    assert.deepEqual(files(), [])
  })

  test('what no database can hold is left out of messages, and long ones are cut', async () => {
    const own = recorder()
    own.action({ ...READ, message: `a\0b\ud800${'x'.repeat(1000)}` })
    await own.flush()
    const [message = ''] = await messages()
    assert.equal(message.length, 500)
    assert.ok(message.startsWith('ab\ufffdxxx'))
  })
})

describe('while the store cannot write', () => {
  test('actions wait, and are written once it can', async () => {
    const way = breakable()
    way.isBroken = true
    const own = recorder({ write: way.write })
    const actions = [...numbered(READ, 30), ...numbered(SIGN_IN, 30)]
    for (const action of actions) own.action(action)
    await own.flush()
    assert.deepEqual(await messages(), [])
    assert.equal(way.tries, 1)
    way.isBroken = false
    await own.flush()
    assert.deepEqual(await messages(), messagesOf(actions))
    assert.equal(dropped, 0)
  })

  test('another process that holds the database is waited for, and nothing is written twice', async () => {
    const own = recorder()
    const other = new DatabaseSync(join(folder, 'duktig.sqlite'))
    other.exec('begin exclusive')
    for (const action of numbered(SIGN_IN, 10)) own.action(action)
    await own.flush()
    other.exec('rollback')
    other.close()
    await own.flush()
    assert.deepEqual(await messages(), messagesOf(numbered(SIGN_IN, 10)))
  })

  test('an answer that was lost leads to no second writing', async () => {
    let isLost = true
    const own = recorder({
      async write(group) {
        const written = await store.recordActions(group)
        if (isLost) throw new StoreUnavailable('the answer was lost')
        return written
      },
    })
    own.action(SIGN_IN)
    await own.flush()
    own.action(READ)
    isLost = false
    await own.flush()
    assert.deepEqual(await messages(), [SIGN_IN.message, READ.message])
  })

  test('a full memory gives up everyday actions first, and counts them', async () => {
    const way = breakable()
    way.isBroken = true
    const own = recorder({ write: way.write, bound: 20 })
    for (const action of numbered(READ, 30)) own.action(action)
    assert.equal(dropped, 10)
    const signIns = numbered(SIGN_IN, 15)
    for (const action of signIns) own.action(action)
    assert.equal(dropped, 30)
    assert.deepEqual(files(), [])
    way.isBroken = false
    await own.flush()
    assert.deepEqual(await messages(), messagesOf(signIns))
  })

  test('security events go into a file that only its owner may read, and from there into the store', async () => {
    const way = breakable()
    way.isBroken = true
    const own = recorder({ write: way.write, bound: 20 })
    const signIns = numbered(SIGN_IN, 95)
    for (const action of signIns) own.action(action)
    const [file = ''] = files()
    assert.equal(files().length, 1)
    assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600)
    assert.equal(dropped, 0)
    way.isBroken = false
    await own.flush()
    await own.flush()
    assert.deepEqual((await messages()).sort(), messagesOf(signIns).sort())
    assert.deepEqual(files(), [])
  })

  test('when the disk refuses too, twice as much is kept, then the oldest goes, counted and logged', async () => {
    const way = breakable()
    way.isBroken = true
    const nowhere = join(folder, 'gone')
    const own = recorder({ write: way.write, bound: 1000, folder: nowhere })
    // A group of 500 is on its way to the store, and 2000 wait.
    for (const action of numbered(SIGN_IN, 2500)) own.action(action)
    assert.equal(dropped, 0)
    own.action(SIGN_IN)
    assert.equal(dropped, 500)
    assert.deepEqual(errors, ['Actions could neither be stored nor kept in a file'])
    await own.flush()
    way.isBroken = false
    await own.flush()
    assert.equal((await messages()).length, 2001)
  })
})

describe('across a restart', () => {
  test('what the store refused at the stop is taken over by the next process, everyday actions too', async () => {
    const own = recorder()
    const actions = [...numbered(READ, 600), ...numbered(SIGN_IN, 5)]
    for (const action of actions) own.action(action)
    await store.close()
    await own.stop()
    assert.equal(files().length, 1)
    assert.equal(dropped, 0)
    await open()
    await recorder().takeOver()
    assert.deepEqual(await messages(), messagesOf(actions))
    assert.deepEqual(files(), [])
  })

  test('a group that reached the store before the stop, unknown to the recorder, is not written twice', async () => {
    const own = recorder({
      async write(group) {
        await store.recordActions(group)
        throw new StoreUnavailable('the answer was lost')
      },
    })
    own.action(SIGN_IN)
    await own.flush()
    own.action(READ)
    await own.stop()
    await recorder().takeOver()
    assert.deepEqual(await messages(), [SIGN_IN.message, READ.message])
  })

  test('a take-over that is broken off goes on where it was', async () => {
    const stopped = recorder({ write: () => Promise.reject(new StoreUnavailable('broken')) })
    const actions = numbered(SIGN_IN, 1700)
    for (const action of actions) stopped.action(action)
    await stopped.stop()
    let left = 2
    const broken = recorder({
      write: (group) =>
        left-- > 0 ? store.recordActions(group) : Promise.reject(new StoreUnavailable('again')),
    })
    await broken.takeOver()
    assert.ok((await messages()).length < 1700)
    assert.equal(files().length, 1)
    await recorder().takeOver()
    assert.deepEqual(await messages(), messagesOf(actions))
    assert.deepEqual(files(), [])
  })

  test('two processes that take over the same files write everything once', async () => {
    const stopped = recorder({ write: () => Promise.reject(new StoreUnavailable('broken')) })
    for (const action of numbered(SIGN_IN, 1700)) stopped.action(action)
    await stopped.stop()
    await Promise.all([recorder().takeOver(), recorder().takeOver()])
    await recorder().takeOver()
    assert.equal((await messages()).length, 1700)
    assert.deepEqual(files(), [])
  })

  test('a line that a crash tore is left out and told; all others are taken over', async () => {
    const stopped = recorder({ write: () => Promise.reject(new StoreUnavailable('broken')) })
    for (const action of numbered(SIGN_IN, 1200)) stopped.action(action)
    await stopped.stop()
    const file = join(folder, files()[0] ?? '')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.slice(0, -100))
    await recorder().takeOver()
    assert.equal((await messages()).length, 1000)
    assert.deepEqual(errors, ['Actions in a file were unreadable'])
    assert.deepEqual(files(), [])
  })
})

describe('log lines', () => {
  const at = { nowMs: () => Date.UTC(2026, 2, 31, 21, 17, 5) }

  function counted(level: Parameters<typeof countedLog>[1], zone = 'UTC') {
    const tallies = new LogTallies(at, createDateFormat(zone), () => own.logged())
    const own: ActionRecorder = recorder({ tallies })
    return { own, log: countedLog(silentLog, level, tallies) }
  }

  test('are counted by level with their first and last message, and written with the next group', async () => {
    const { own, log } = counted('info')
    log.info({ event: 'a' }, 'First')
    log.info({ event: 'b' }, 'Second')
    log.warn('Slow')
    log.error({ event: 'fault' }, 'Broken')
    log.debug('Not counted')
    await own.stop()
    const levels = await store.logLevels()
    assert.deepEqual(
      levels.map(({ level, total, first, last }) => [level, total, first.message, last.message]),
      [
        ['error', 1, 'Broken', 'Broken'],
        ['info', 2, 'First', 'Second'],
        ['warn', 1, 'Slow', 'Slow'],
      ],
    )
  })

  test('below the level that is logged are not counted', async () => {
    const { own, log } = counted('error')
    log.info('No')
    log.warn('No')
    log.error('Yes')
    await own.stop()
    assert.deepEqual(
      (await store.logLevels()).map(({ level }) => level),
      ['error'],
    )
  })

  test('belong to the hours, days and months of the configured time zone', async () => {
    // In Kolkata the first of April has begun, and hours begin at half past.
    const { own, log } = counted('info', 'Asia/Kolkata')
    log.info('Line')
    await own.stop()
    const counts = await store.logCounts({ minute: 0, hour: 0, day: 0, month: 0 })
    const starts = Object.fromEntries(counts.map(({ span, startMs }) => [span, new Date(startMs).toISOString()]))
    assert.deepEqual(starts, {
      minute: '2026-03-31T21:17:00.000Z',
      hour: '2026-03-31T20:30:00.000Z',
      day: '2026-03-31T18:30:00.000Z',
      month: '2026-03-31T18:30:00.000Z',
    })
  })
})
