/** Session ids in paths are opaque: any segment of a path may be one, and one that no session has is not found. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ENGINES, startInstances } from '../support/engines.ts'
import { type OpenedSession, makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { send } from '../support/raw-http.ts'

const NOBODYS = [
  'unknown',
  'a.b',
  '..',
  '~',
  '__proto__',
  'a%20b',
  '%2F',
  'a%2Fb%2F',
  '%00',
  'a%00b',
  '%0A',
  '%25',
  '%2541',
  "'%20or%201=1;%20--",
  '%F0%9F%98%80',
  '%EF%BF%BF',
  'a'.repeat(200),
  'a'.repeat(14_000),
]
const MALFORMED = ['%', '%zz', 'a%2', '%ff', '%c0%80', '%ed%a0%80', 'a/b', '/', '/a']

const answer = (status: number, message: string) => [status, { status: 'error', message }] as const
const NOT_FOUND = answer(404, 'Resource not found')

for (const { name, open } of ENGINES) {
  describe(`on ${name}`, () => {
    let stop: () => Promise<void>
    let address: string
    let client: OpenedSession
    let administrator: OpenedSession
    before(async () => {
      const engine = await open()
      const services = await startInstances(engine)
      address = services[0].address
      stop = async () => {
        for (const service of new Set(services)) await service.stop()
        await engine.close()
      }
      const [deps] = engine.deps
      const { application } = await makeApplication(deps)
      client = await openSession(deps, await makeAccount(deps), application)
      administrator = await openSession(deps, await makeAccount(deps, { roleId: 1 }), application)
    })
    after(() => stop())

    const end = async (path: string, headers = {}) => {
      const { status, text } = await send(address, 'DELETE', path, headers)
      return [status, JSON.parse(text)] as const
    }
    const of = ({ accessToken }: OpenedSession) => ({ 'Access-Token': accessToken })
    const ofClient = () => `/users/${client.session.accountId}/sessions`

    for (const id of NOBODYS) {
      test(`${id.slice(0, 40)}, of ${id.length} characters, passes all checks and is not found`, async () => {
        for (const path of [
          `/account/sessions/${id}`,
          `${ofClient()}/${id}`,
          `/users/999999999/sessions/${id}`,
        ]) {
          assert.deepEqual(await end(path), answer(401, 'Unauthorized'))
          assert.deepEqual(await end(`${path}/`), answer(401, 'Unauthorized'))
        }
        assert.deepEqual(await end(`${ofClient()}/${id}`, of(client)), answer(403, 'Forbidden'))
        const ofNobody = await end(`/users/999999999/sessions/${id}`, of(administrator))
        assert.deepEqual(ofNobody, answer(404, 'Account not found'))
        assert.deepEqual(await end(`/account/sessions/${id}`, of(client)), NOT_FOUND)
        assert.deepEqual(await end(`${ofClient()}/${id}`, of(administrator)), NOT_FOUND)
      })
    }
    test('a segment that is no text, and more or less than one segment, is no such route', async () => {
      for (const id of MALFORMED) {
        assert.deepEqual(await end(`/account/sessions/${id}`), NOT_FOUND, id)
        assert.deepEqual(await end(`${ofClient()}/${id}`), NOT_FOUND, id)
      }
    })
    test('the id of the user keeps its rule', async () => {
      for (const userId of ['0', '-2', '01', 'x', '%00', '1'.repeat(200)])
        assert.deepEqual(await end(`/users/${userId}/sessions/x`), NOT_FOUND, userId)
    })
    test('the id of a session may be spelled with escapes', async () => {
      const escaped = Buffer.from(client.session.sessionId).toString('hex').replaceAll(/../g, '%$&')
      assert.equal((await end(`${ofClient()}/${escaped}`, of(administrator)))[0], 200)
      assert.equal((await end('/account/sessions/x', of(client)))[0], 401)
    })
  })
}
