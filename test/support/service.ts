/** A whole service inside the test process: real store in a fresh folder, real HTTP on a free port. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Composed, compose } from '../../src/compose.ts'
import { openStore } from '../../src/open-store.ts'
import type { Log } from '../../src/operations/log.ts'
import { type Service, startService } from '../../src/serve.ts'
import { readSettings } from '../../src/settings/read-settings.ts'

export const AUTH_KEY = 'test-application-key-0001'

/** For tests that send more requests, or more wrong ones, than the rate limits allow. */
export const UNLIMITED = { DUKTIG_RATE_LIMITS: 'off' } as const

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

export interface TestService extends Service {
  readonly dataDir: string
  readonly variables: Readonly<Record<string, string>>
}

/**
 * Starts a service; `variables` override settings that suit tests. `stop` and a failed start remove the data folder.
 */
export async function startTestService(
  variables: Readonly<Record<string, string>> = {},
  log: Log = silentLog,
): Promise<TestService> {
  const dataDir = mkdtempSync(join(tmpdir(), 'duktig-test-'))
  const all = {
    DUKTIG_PORT: '0',
    DUKTIG_METRICS_PORT: '0',
    DUKTIG_DATA_DIR: dataDir,
    DUKTIG_AUTH_KEY: AUTH_KEY,
    DUKTIG_ISSUER: 'http://duktig.test',
    ...variables,
  }
  const remove = () => rmSync(dataDir, { recursive: true, force: true })
  try {
    const service = await startService(readSettings(all), { log })
    return { ...service, dataDir, variables: all, stop: () => service.stop().finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}

/** Composes the use cases once more on the store of a running test service, to arrange what HTTP cannot. */
export async function openBeside(service: TestService): Promise<Composed & { close(): Promise<void> }> {
  const settings = readSettings(service.variables)
  const { store } = await openStore(settings)
  const composed = await compose(settings, store, silentLog)
  return { ...composed, close: () => composed.recorder.stop().then(() => store.close()) }
}
