/** An administrator loses the role while requests of that administrator wait for their hashes. */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { ROLE } from '../../src/core/account.ts'
import { SYSTEM } from '../../src/core/actions.ts'
import { changeAccount } from '../../src/usecases/change-account.ts'
import { aPerson, addAccount, signIn } from '../support/people.ts'
import { send, sendJson } from '../support/raw-http.ts'
import { type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'

/** As many as fit into the queue of hashes, so that most of them wait for a while. */
const REQUESTS = 60
/** Each core hashes up to eight as one batch. */
const MOST_RUNNING = 8 * availableParallelism()
const skip = MOST_RUNNING > REQUESTS / 2 + 2
const note = skip ? ', left out: on so many cores none has to wait for long' : ''

for (const [what, method] of [
  ['accounts', 'POST'],
  ['new passwords', 'PATCH'],
] as const) {
  test(`of ${what} that he asked for before, those that wait are refused${note}`, { skip }, async (t) => {
    const service = await startTestService(UNLIMITED)
    t.after(() => service.stop())
    const { deps, close } = await openBeside(service)
    t.after(close)
    const { accountId } = await addAccount(service)
    const boss = await addAccount(service, { roleId: ROLE.superAdmin })
    // The last super admin could not be demoted.
    await addAccount(service, { roleId: ROLE.superAdmin })
    const { accessToken } = await signIn(service, boss.email)
    const by = { accountId: SYSTEM, code: 'Users->patchAccount', message: 'demoted' } as const
    let answered = 0
    const ask = async (i: number) => {
      const body = method === 'POST' ? { ...aPerson(), comment: 'new' } : { password: `Another-Horse-${i}` }
      const path = method === 'POST' ? '/users' : `/users/${accountId}`
      const { status } = await sendJson(service.address, method, path, { 'Access-Token': accessToken }, body)
      answered++
      return status
    }
    const asked = Array.from({ length: REQUESTS }, (_, i) => ask(i))
    while (answered + (await waiting(service)) < REQUESTS - MOST_RUNNING);
    await changeAccount(deps, by, boss.accountId, { roleId: ROLE.client })
    const left = await waiting(service)
    assert.ok(left > 0, 'nothing waited any more')
    const statuses = await Promise.all(asked)
    const refused = statuses.filter((status) => status === 403).length
    assert.ok(refused >= left, `${refused} refused, ${left} had waited: ${statuses.join(' ')}`)
    assert.equal(await ask(REQUESTS), 403)
  })
}

/** The number of requests that wait for a hash. */
async function waiting({ metricsAddress }: TestService): Promise<number> {
  const { origin, pathname } = new URL(metricsAddress)
  const { text } = await send(origin, 'GET', pathname)
  return Number(/^duktig_password_hashes_waiting (\d+)$/m.exec(text)?.[1])
}
