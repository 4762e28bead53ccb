/** Accounts and sessions that exist before the fault, made through the real store without hashing each password. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { compose } from '../../src/compose.ts'
import { ensureDefaultApplication } from '../../src/default-application.ts'
import { openStore } from '../../src/open-store.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import type { Application } from '../../src/core/application.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { makeAccount, openSession } from '../support/opened-session.ts'
import { silentLog } from '../support/service.ts'

export const PASSWORD = 'right1password'

/** Its access tokens outlast the longest run. */
const ROTATING = {
  name: 'Rotating',
  type: 'confidential',
  trustedBackend: false,
  rotation: true,
  parallelWindowSeconds: 0,
  retryWindowSeconds: 60,
  idleSeconds: 0,
  sessionTtlSeconds: 86_400,
  accessTokenTtlSeconds: 86_400,
  requireKeyOnRefresh: false,
} as const

/** How many are made at a time, so that they share commits. */
const TOGETHER = 100

export interface Holder {
  readonly email: string
  readonly accessToken: string
  readonly refreshToken: string
}

/**
 * Makes `count` accounts with a session each. With `everyRefreshRotates`, the sessions belong to an application without
 * a parallel window, so that no refresh waits for it.
 */
export async function populate(
  variables: Readonly<Record<string, string>>,
  count: number,
  { everyRefreshRotates = false } = {},
): Promise<Holder[]> {
  const settings = readSettings(variables)
  const { store } = await openStore(settings)
  try {
    await ensureDefaultApplication(settings, store)
    const { deps, recorder } = await compose(settings, store, silentLog)
    const passwordHash = await deps.passwords.hash(PASSWORD)
    const application = everyRefreshRotates
      ? await store.createApplication({ ...ROTATING, clientId: randomUUID() }, null)
      : await store.findApplication(1)
    assert.ok(application !== null && application !== 'client-id-taken')
    const one = (): Promise<Holder> => holderOf(deps, application, passwordHash)
    const holders: Holder[] = []
    while (holders.length < count) {
      const together = Math.min(TOGETHER, count - holders.length)
      holders.push(...(await Promise.all(Array.from({ length: together }, one))))
    }
    await recorder.stop()
    return holders
  } finally {
    await store.close()
  }
}

async function holderOf(deps: Deps, application: Application, passwordHash: string): Promise<Holder> {
  const account = await makeAccount(deps, { passwordHash })
  const { accessToken, refreshToken } = await openSession(deps, account, application)
  return { email: account.email, accessToken, refreshToken }
}
