/** Accounts and sessions that exist before the fault, made through the real store without the time of a password. */
import assert from 'node:assert/strict'
import { compose } from '../../src/compose.ts'
import { ensureDefaultApplication } from '../../src/default-application.ts'
import { openStore } from '../../src/open-store.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { mintAccessToken } from '../../src/tokens/access-token.ts'
import { randomId } from '../../src/tokens/random-id.ts'
import { mintRefreshToken } from '../../src/tokens/refresh-token.ts'
import { silentLog } from '../support/service.ts'

export const PASSWORD = 'right1password'

export interface Holder {
  readonly email: string
  readonly accessToken: string
  readonly refreshToken: string
}

/** `count` accounts with a session each. Their sessions were opened long enough ago to rotate at once. */
export async function populate(
  variables: Readonly<Record<string, string>>,
  count: number,
): Promise<Holder[]> {
  const settings = readSettings(variables)
  const { store } = await openStore(settings)
  try {
    await ensureDefaultApplication(settings, store)
    const { deps, recorder } = await compose(settings, store, silentLog)
    const passwordHash = await deps.passwords.hash(PASSWORD)
    const application = await store.findApplication(1)
    assert.ok(application)
    const holders: Holder[] = []
    for (let i = 0; i < count; i++) {
      const email = `${randomId()}@example.com`
      const person = { firstName: 'Ani', lastName: 'Sarkis', email, phone: '000000', comment: null }
      const account = await store.createAccount({ ...person, roleId: 4, status: 1, passwordHash })
      assert.ok(account !== 'email-taken')
      const device = { address: '127.0.0.1', userAgent: null, deviceId: null }
      const { kid } = deps.keys.signer('refresh')
      const { accountId, version: accountVersion } = account
      const opening = {
        sessionId: randomId(),
        accountId,
        accountVersion,
        application,
        kid,
        amr: ['pwd'],
        device,
      }
      const opened = await store.openSession({ ...opening, maxLiveSessions: 100 })
      assert.ok(opened.kind === 'opened')
      const { session } = opened
      const access = mintAccessToken(
        deps.keys.signer('access'),
        deps.names,
        session,
        account,
        900,
        store.clock.nowMs(),
      )
      const refreshKey = await deps.keys.refreshKey(session.kid)
      holders.push({
        email,
        accessToken: access.token,
        refreshToken: mintRefreshToken(refreshKey, deps.names, session),
      })
    }
    await recorder.stop()
    return holders
  } finally {
    await store.close()
  }
}
