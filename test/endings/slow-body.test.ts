/** A caller who was admitted before an end and sends the rest of the body after it is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqliteEngine } from '../support/engines.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { openConnection } from '../support/raw-socket.ts'
import { sendJson } from '../support/raw-http.ts'
import { startTestService } from '../support/service.ts'

const HEADERS =
  'Host: duktig\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nConnection: close\r\n'

for (const end of ['everywhere', 'account'] as const) {
  test(`a change that was half sent when its session ended (${end}) is refused`, async (t) => {
    const engine = await openSqliteEngine('the machine')
    const service = await startTestService(engine.variables)
    t.after(async () => {
      await service.stop()
      await engine.close()
    })
    const [deps] = engine.deps
    const { application } = await makeApplication(deps)
    const account = await makeAccount(deps)
    const { accessToken } = await openSession(deps, account, application)
    const body = JSON.stringify({ password: 'taken-over-by-a-thief-1' })
    const connection = await openConnection(service.address)
    const head = `PATCH /user HTTP/1.1\r\n${HEADERS}Access-Token: ${accessToken}\r\nContent-Length: ${body.length}\r\n\r\n`
    connection.write(head)
    // The interim response is sent when the handler asks for the body, so the caller has been admitted.
    await connection.until(/100 Continue/)
    connection.write(body.slice(0, 5))
    if (end === 'everywhere') {
      const own = { 'Access-Token': accessToken }
      assert.equal((await sendJson(service.address, 'DELETE', '/account/sessions', own)).status, 200)
    } else await deps.store.changeAccount(account.accountId, { status: 2 })
    connection.write(body.slice(5))
    const answer = await connection.untilClosed()
    assert.match(answer, end === 'everywhere' ? /HTTP\/1\.1 401/ : /HTTP\/1\.1 403/)
    const after = await deps.store.findAccountWithPassword(account.accountId)
    assert.equal(after?.updatedAtMs === null || end === 'account', true, 'nothing was changed')
  })
}
