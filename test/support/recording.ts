/** A recorder of actions over a real SQLite store, for tests that break the path between the two. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'node:test'
import { createDateFormat } from '../../src/core/dates.ts'
import { ActionRecorder, type RecorderOptions } from '../../src/operations/action-recorder.ts'
import { LogTallies } from '../../src/operations/log-tally.ts'
import type { Log } from '../../src/operations/log.ts'
import type { ActionGroup } from '../../src/store/action-store.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import type { Action } from '../../src/usecases/events.ts'
import { silentLog } from './service.ts'

export const NOON = Date.UTC(2026, 2, 10, 12)
export const READ: Action = { accountId: 7, code: 'User->getAccount', message: 'Account read' }
export const SIGN_IN: Action = {
  accountId: 7,
  code: 'Auth->Authorize',
  message: 'Signed in',
  sessionId: 's',
}

const clock = { nowMs: () => NOON }

type Options = Partial<RecorderOptions> & {
  /** Takes the place of the store's `recordActions`. */
  readonly write?: (group: ActionGroup) => Promise<boolean>
}

/** A way to the store that can be broken and mended. */
export interface Way {
  isBroken: boolean
  tries: number
  readonly write: (group: ActionGroup) => Promise<boolean>
}

/** The data of one process: its folder, its store, and what its recorders reported. */
export class Recording {
  readonly folder = mkdtempSync(join(tmpdir(), 'duktig-actions-'))
  store!: Store
  dropped = 0
  errors: string[] = []
  /** All are stopped on `close`: none may outlive its test and write into the store of the next one. */
  readonly #recorders: ActionRecorder[] = []

  async open(): Promise<void> {
    this.store = (await openSqlite(join(this.folder, 'duktig.sqlite'), clock)).store
  }

  async close(): Promise<void> {
    for (const each of this.#recorders) await each.stop()
    await this.store.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Makes a recorder, as a process has one. */
  recorder(options: Options = {}): ActionRecorder {
    const error = (_: unknown, message: string) => void this.errors.push(message)
    const made = new ActionRecorder({
      store: { recordActions: options.write ?? ((group) => this.store.recordActions(group)) },
      clock,
      folder: this.folder,
      log: { ...silentLog, error: error as Log['error'] },
      tallies: new LogTallies(clock, createDateFormat('UTC'), () => {}),
      dropped: (count) => {
        this.dropped += count
      },
      ...options,
    })
    this.#recorders.push(made)
    return made
  }

  breakable(): Way {
    const way: Way = {
      isBroken: false,
      tries: 0,
      write: (group) => {
        way.tries += 1
        return way.isBroken ? Promise.reject(new StoreUnavailable('broken')) : this.store.recordActions(group)
      },
    }
    return way
  }

  /** The messages of the actions in the store, in the order in which they were recorded. */
  async messages(): Promise<string[]> {
    const found = await this.store.latestActions(100_000)
    return found.map(({ message }) => message).toReversed()
  }

  /** The files in which actions wait. */
  files(): string[] {
    return readdirSync(this.folder).filter((name) => name.startsWith('actions-'))
  }
}

/** Makes a fresh recording for every test of the calling file. The returned function gives the current one. */
export function recordingForEachTest(): () => Recording {
  let current: Recording
  beforeEach(async () => {
    current = new Recording()
    await current.open()
  })
  afterEach(() => current.close())
  return () => current
}
