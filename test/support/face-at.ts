/** The Duktig face over a SQLite store whose clock stands still at a time that the test chooses. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compose } from '../../src/compose.ts'
import type { RecordedAction } from '../../src/core/actions.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import type { LogTally } from '../../src/store/action-store.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { makeAccount, openSession } from './opened-session.ts'
import { send } from './raw-http.ts'
import { serveFace } from './serve-face.ts'
import { silentLog } from './service.ts'

export interface FaceAt {
  /** Records past actions, as recorders would have written them. */
  record(actions: readonly Partial<RecordedAction>[], logs?: readonly LogTally[]): Promise<void>
  /** Sends a request as a super admin. */
  get(path: string): Promise<{ readonly status: number; readonly text: string }>
  close(): Promise<void>
}

/** `now` as ISO 8601, in UTC. */
export async function faceAt(now: string, variables: Readonly<Record<string, string>> = {}): Promise<FaceAt> {
  const dataDir = mkdtempSync(join(tmpdir(), 'duktig-face-'))
  const settings = readSettings({ DUKTIG_DATA_DIR: dataDir, ...variables })
  const clock = { nowMs: () => Date.parse(now) }
  const { store } = await openSqlite(join(dataDir, 'duktig.sqlite'), clock)
  const { deps, recorder } = await compose(settings, store, silentLog)
  const served = await serveFace(deps, 'development', settings.timeZone)
  // Straight through the store, so that the only history is the one that the test makes up.
  const application = await store.createApplication(
    {
      clientId: 'application',
      name: 'Application',
      type: 'confidential',
      trustedBackend: false,
      rotation: false,
      parallelWindowSeconds: 20,
      retryWindowSeconds: 60,
      idleSeconds: 0,
      sessionTtlSeconds: 86_400,
      accessTokenTtlSeconds: 86_400,
      requireKeyOnRefresh: false,
    },
    null,
  )
  assert.ok(application !== 'client-id-taken')
  const { accessToken } = await openSession(deps, await makeAccount(deps, { roleId: 1 }), application)
  let groups = 0
  return {
    async record(actions, logs = []) {
      const usual = { accountId: 1, code: 'User->getAccount', message: '', address: null, sessionId: null }
      await store.recordActions({
        writer: 'history',
        number: ++groups,
        actions: actions.map((action) => ({ ...usual, atMs: clock.nowMs(), ...action })),
        logs,
      })
    },
    async get(path) {
      const { status, text } = await send(served.base, 'GET', path, { 'Access-Token': accessToken })
      return { status, text }
    },
    async close() {
      await served.close()
      await recorder.stop()
      await store.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
