/** The recorder of actions, over a real SQLite store that the tests break in different ways. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { StoreUnavailable } from '../../src/store/store.ts'
import type { Action } from '../../src/usecases/events.ts'
import { NOON, READ, SIGN_IN, recordingForEachTest } from '../support/recording.ts'
import { silentLog } from '../support/service.ts'

const recording = recordingForEachTest()

function numbered(action: Action, count: number): Action[] {
  return Array.from({ length: count }, (_, i) => ({ ...action, message: `${action.code} ${i}` }))
}

const messagesOf = (actions: readonly Action[]) => actions.map(({ message }) => message)

describe('while all is well', () => {
  test('actions are written in groups, whole and in their order', async () => {
    const it = recording()
    const groups: number[] = []
    const own = it.recorder({
      write(group) {
        groups.push(group.actions.length)
        return it.store.recordActions(group)
      },
    })
    const actions = numbered(SIGN_IN, 2400)
    for (const action of actions) own.action(action)
    await own.flush()
    assert.deepEqual(groups, [1000, 1000, 400])
    assert.deepEqual(await it.messages(), messagesOf(actions))
    const [last] = await it.store.latestActions(1)
    const { code, accountId, sessionId } = SIGN_IN
    const expected = { id: 2400, accountId, code, message: 'Auth->Authorize 2399', atMs: NOON }
    assert.deepEqual(last, { ...expected, address: null, sessionId })
  })

  test('no write starts before the one before it has ended', async () => {
    const it = recording()
    let [running, most] = [0, 0]
    const own = it.recorder({
      async write(group) {
        running += 1
        most = Math.max(most, running)
        const written = await it.store.recordActions(group)
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
    assert.equal((await it.messages()).length, 3000)
  })

  test('a clean stop loses nothing', async () => {
    const it = recording()
    const own = it.recorder()
    for (const action of numbered(READ, 1400)) own.action(action)
    await own.stop()
    assert.equal((await it.messages()).length, 1400)
    assert.deepEqual(it.files(), [])
  })

  test('what no database can hold is left out of messages, and long ones are cut', async () => {
    const it = recording()
    const own = it.recorder()
    own.action({ ...READ, message: `a\0b\ud800${'x'.repeat(1000)}` })
    await own.flush()
    const [message = ''] = await it.messages()
    assert.equal(message.length, 500)
    assert.ok(message.startsWith('ab\ufffdxxx'))
  })
})

describe('while the store cannot write', () => {
  test('actions wait, and are written once it can', async () => {
    const it = recording()
    const way = it.breakable()
    way.isBroken = true
    const own = it.recorder({ write: way.write })
    const actions = [...numbered(READ, 30), ...numbered(SIGN_IN, 30)]
    for (const action of actions) own.action(action)
    await own.flush()
    assert.deepEqual(await it.messages(), [])
    assert.equal(way.tries, 1)
    way.isBroken = false
    await own.flush()
    assert.deepEqual(await it.messages(), messagesOf(actions))
    assert.equal(it.dropped, 0)
  })

  test('another process that holds the database is waited for, and nothing is written twice', async () => {
    const it = recording()
    const own = it.recorder()
    const other = new DatabaseSync(join(it.folder, 'duktig.sqlite'))
    other.exec('begin exclusive')
    for (const action of numbered(SIGN_IN, 10)) own.action(action)
    await own.flush()
    other.exec('rollback')
    other.close()
    await own.flush()
    assert.deepEqual(await it.messages(), messagesOf(numbered(SIGN_IN, 10)))
  })

  test('an answer that was lost leads to no second writing', async () => {
    const it = recording()
    let isLost = true
    const own = it.recorder({
      async write(group) {
        const written = await it.store.recordActions(group)
        if (isLost) throw new StoreUnavailable('the answer was lost')
        return written
      },
    })
    own.action(SIGN_IN)
    await own.flush()
    own.action(READ)
    isLost = false
    await own.flush()
    assert.deepEqual(await it.messages(), [SIGN_IN.message, READ.message])
  })

  test('a full memory gives up everyday actions first, and counts them', async () => {
    const it = recording()
    const way = it.breakable()
    way.isBroken = true
    const own = it.recorder({ write: way.write, bound: 20 })
    for (const action of numbered(READ, 30)) own.action(action)
    assert.equal(it.dropped, 10)
    const signIns = numbered(SIGN_IN, 15)
    for (const action of signIns) own.action(action)
    assert.equal(it.dropped, 30)
    assert.deepEqual(it.files(), [])
    way.isBroken = false
    await own.flush()
    assert.deepEqual(await it.messages(), messagesOf(signIns))
  })

  test('security events go into a file that only its owner may read, and from there into the store', async () => {
    const it = recording()
    const way = it.breakable()
    way.isBroken = true
    const own = it.recorder({ write: way.write, bound: 20 })
    const signIns = numbered(SIGN_IN, 95)
    for (const action of signIns) own.action(action)
    const [file = ''] = it.files()
    assert.equal(it.files().length, 1)
    assert.equal(statSync(join(it.folder, file)).mode & 0o777, 0o600)
    assert.equal(it.dropped, 0)
    way.isBroken = false
    await own.flush()
    await own.flush()
    assert.deepEqual((await it.messages()).sort(), messagesOf(signIns).sort())
    assert.deepEqual(it.files(), [])
  })

  test('when the disk refuses too, twice as much is kept, then the oldest goes, counted and logged', async () => {
    const it = recording()
    const way = it.breakable()
    way.isBroken = true
    const nowhere = join(it.folder, 'gone')
    const own = it.recorder({ write: way.write, bound: 2000, folder: nowhere })
    // A group of 1000 is on its way to the store, and 4000 wait.
    for (const action of numbered(SIGN_IN, 5000)) own.action(action)
    assert.equal(it.dropped, 0)
    own.action(SIGN_IN)
    assert.equal(it.dropped, 1000)
    assert.deepEqual(it.errors, ['Actions could neither be stored nor kept in a file'])
    await own.flush()
    way.isBroken = false
    await own.flush()
    assert.equal((await it.messages()).length, 4001)
  })
})

describe('across a restart', () => {
  test('what the store refused at the stop is taken over by the next process, everyday actions too', async () => {
    const it = recording()
    const own = it.recorder()
    const actions = [...numbered(READ, 1200), ...numbered(SIGN_IN, 5)]
    for (const action of actions) own.action(action)
    await it.store.close()
    await own.stop()
    assert.equal(it.files().length, 1)
    assert.equal(it.dropped, 0)
    await it.open()
    await it.recorder().takeOver()
    assert.deepEqual(await it.messages(), messagesOf(actions))
    assert.deepEqual(it.files(), [])
  })

  test('a group that reached the store before the stop, unknown to the recorder, is not written twice', async () => {
    const it = recording()
    const own = it.recorder({
      async write(group) {
        await it.store.recordActions(group)
        throw new StoreUnavailable('the answer was lost')
      },
    })
    own.action(SIGN_IN)
    await own.flush()
    own.action(READ)
    await own.stop()
    await it.recorder().takeOver()
    assert.deepEqual(await it.messages(), [SIGN_IN.message, READ.message])
  })

  test('a take-over that is broken off goes on where it was', async () => {
    const it = recording()
    const stopped = it.recorder({ write: () => Promise.reject(new StoreUnavailable('broken')) })
    const actions = numbered(SIGN_IN, 3400)
    for (const action of actions) stopped.action(action)
    await stopped.stop()
    let left = 2
    const broken = it.recorder({
      write: (group) =>
        left-- > 0 ? it.store.recordActions(group) : Promise.reject(new StoreUnavailable('again')),
    })
    await broken.takeOver()
    assert.ok((await it.messages()).length < 3400)
    assert.equal(it.files().length, 1)
    await it.recorder().takeOver()
    assert.deepEqual(await it.messages(), messagesOf(actions))
    assert.deepEqual(it.files(), [])
  })

  test('a file that cannot be read is not tried again with each group that is written', async () => {
    const it = recording()
    // In place of a file of another user, which a test that runs as root could read.
    mkdirSync(join(it.folder, 'actions-aaaaaaaaaaaaaaaaaaaaaa.taken'))
    let warnings = 0
    const own = it.recorder({ log: { ...silentLog, warn: () => void (warnings += 1) } })
    await own.takeOver()
    for (let i = 0; i < 5; i++) {
      own.action(READ)
      await own.flush()
    }
    await own.flush()
    assert.equal(warnings, 1)
    assert.equal((await it.messages()).length, 5)
    await own.takeOver()
    assert.equal(warnings, 2)
  })

  test('two processes that take over the same files write everything once', async () => {
    const it = recording()
    const stopped = it.recorder({ write: () => Promise.reject(new StoreUnavailable('broken')) })
    for (const action of numbered(SIGN_IN, 3400)) stopped.action(action)
    await stopped.stop()
    await Promise.all([it.recorder().takeOver(), it.recorder().takeOver()])
    await it.recorder().takeOver()
    assert.equal((await it.messages()).length, 3400)
    assert.deepEqual(it.files(), [])
  })

  test('a line that a crash tore is left out and told; all others are taken over', async () => {
    const it = recording()
    const stopped = it.recorder({ write: () => Promise.reject(new StoreUnavailable('broken')) })
    for (const action of numbered(SIGN_IN, 1200)) stopped.action(action)
    await stopped.stop()
    const file = join(it.folder, it.files()[0] ?? '')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.slice(0, -100))
    await it.recorder().takeOver()
    assert.equal((await it.messages()).length, 1000)
    assert.deepEqual(it.errors, ['Actions in a file were unreadable'])
    assert.deepEqual(it.files(), [])
  })
})
