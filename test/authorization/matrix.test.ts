/**
 * The authorization matrix: every route of the API reference with every credential that a caller may send. A refusal is
 * worded as in the contract and changes nothing. A route without a rule about who may use it fails the test.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Composed } from '../../src/compose.ts'
import { ROLE } from '../../src/core/account.ts'
import type { Application } from '../../src/core/application.ts'
import { changeApplication } from '../../src/usecases/applications.ts'
import { type Api, type ApiOperation, answerMistakes, apiOf } from '../support/openapi.ts'
import { type OpenedSession, makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { type RawAnswer, send } from '../support/raw-http.ts'
import { type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'
import { CREDENTIALS, type Credential, type Keys, headersOf } from './credentials.ts'
import { ADMITTED, type Scene, requestOf } from './requests.ts'
import { RULES, type Rule, type Verdict, WITHOUT_SECURITY, verdict } from './ways-in.ts'

// The tests are generated from the document, so it must be loaded before they are defined.
const service: TestService = await startTestService(UNLIMITED)
const api: Api = await apiOf(service.address)
let beside: Composed & { close(): Promise<void> }
let application: Application
let keys: Keys

before(async () => {
  beside = await openBeside(service)
  const { deps } = beside
  const made = await makeApplication(deps)
  const [disabled, other] = [await makeApplication(deps), await makeApplication(deps)]
  await changeApplication(deps, disabled.application, { disabled: true })
  application = made.application
  keys = { good: made.key, 'of-another-application': other.key, disabled: disabled.key }
  // Keeps each caller of the matrix from being the last super admin.
  await makeAccount(deps, { roleId: 1 })
})
after(async () => {
  await beside.close()
  await service.stop()
})

async function sceneOf(credential: Credential): Promise<Scene & { readonly opened: OpenedSession }> {
  const { deps } = beside
  const { role, status, session } = credential
  const [caller, victim] = [await makeAccount(deps, { roleId: role }), await makeAccount(deps)]
  const opened = await openSession(deps, caller, application)
  const callerSpare = await openSession(deps, caller, application)
  const victimSession = await openSession(deps, victim, application)
  // Bypasses the use case, which would end the sessions too: the status alone must be enough for a refusal.
  if (status !== 1) await deps.store.changeAccount(caller.accountId, { status })
  if (session === 'ended') {
    await deps.store.endSession(caller.accountId, opened.session.sessionId, 'ended-by-user')
  }
  return { caller, victim, opened, callerSpare, victimSession }
}

/** Everything in a scene that a request could change. */
async function stateOf({ caller, victim }: Scene): Promise<unknown> {
  const { store } = beside.deps
  const ids = [caller.accountId, victim.accountId]
  return [
    await Promise.all(ids.map((id) => store.findAccountWithPassword(id))),
    await Promise.all(ids.map((id) => store.listSessions(id, 10))),
  ]
}

async function ask(
  operation: ApiOperation,
  scene: Scene,
  headers: Record<string, string>,
): Promise<RawAnswer> {
  const { path, body } = requestOf(operation, scene)
  const typed = body === null ? headers : { 'Content-Type': 'application/json', ...headers }
  return send(service.address, operation.method, path, typed, body === null ? null : JSON.stringify(body))
}

function assertAnswer(operation: ApiOperation, answer: RawAnswer, expected: Verdict, what: string): void {
  const { status, text } = answer
  assert.deepEqual(answerMistakes(api, operation, answer), [], what)
  const message = /"message":"([^"]*)"/.exec(text)?.[1]
  if (expected === 'admitted') {
    const [statuses, said] = ADMITTED[operation.operationId] ?? [[200]]
    assert.ok(statuses.includes(status), `${what}: ${status} ${text}`)
    if (said !== undefined) assert.equal(message, said, what)
  } else {
    const bodiless = operation.operationId === 'verify'
    assert.deepEqual([status, message], [expected[0], bodiless ? undefined : expected[1]], what)
  }
}

test('every route of the API reference has a rule, and every rule a route', () => {
  const ids = api.operations.map(({ operationId }) => operationId)
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual(ids.toSorted(), Object.keys(RULES).toSorted())
})

test('the reference says the same of every route as the rules', () => {
  const security = { key: [{ applicationKey: [] }], access: [{ accessToken: [] }, { bearer: [] }] }
  for (const { operationId, security: stated, responses } of api.operations) {
    const rule = RULES[operationId] as Rule
    const wayIn = WITHOUT_SECURITY.includes(operationId) ? 'open' : rule.wayIn
    const expected = wayIn === 'key' || wayIn === 'access' ? security[wayIn] : []
    assert.deepEqual(stated, expected, operationId)
    assert.equal(rule.wayIn !== 'open', '401' in responses, operationId)
    const namesRole = responses['403']?.description.includes('role') === true
    assert.equal(namesRole, rule.roles.length < Object.keys(ROLE).length, operationId)
  }
})

describe('the matrix', { concurrency: 8 }, () => {
  for (const operation of api.operations) {
    const { method, path, operationId } = operation
    test(`${method} ${path}, by each of ${CREDENTIALS.length} credentials`, async (t) => {
      const rule = RULES[operationId]
      if (rule === undefined) return assert.fail('nobody has said who may use this route')
      let refused = 0
      for (const credential of CREDENTIALS) {
        const scene = await sceneOf(credential)
        const headers = await headersOf(beside.deps, credential, scene.opened, application, keys)
        const expected = verdict(rule, credential)
        const state = expected === 'admitted' ? null : await stateOf(scene)
        const answer = await ask(operation, scene, headers)
        assertAnswer(operation, answer, expected, credential.title)
        if (state === null) continue
        refused++
        assert.deepEqual(await stateOf(scene), state, `${credential.title}: it was refused and yet happened`)
      }
      t.diagnostic(`${refused} refused, ${CREDENTIALS.length - refused} let in`)
    })
  }
})

describe('what belongs to another user', () => {
  const [anybody] = CREDENTIALS.filter(({ access, role, status, session, bearer }) => {
    return access === 'good' && role === 4 && status === 1 && session === 'live' && !bearer
  })
  const ofRole = (role: Credential['role']): Credential => ({ ...(anybody as Credential), role })
  const byId = api.operations.filter(({ path }) => path.includes('{'))

  for (const operation of byId) {
    const rule = RULES[operation.operationId] as Rule
    if (rule.roles.length > 1) {
      test(`${operation.method} ${operation.path}: is not there, whoever asks`, async () => {
        for (const role of rule.roles) {
          const scene = await sceneOf(ofRole(role))
          const state = await stateOf(scene)
          const headers = { 'Access-Token': scene.opened.accessToken }
          const answer = await ask(operation, { ...scene, callerSpare: scene.victimSession }, headers)
          assertAnswer(operation, answer, [404, 'Resource not found'], `role ${role}`)
          assert.deepEqual(await stateOf(scene), state)
        }
      })
    } else {
      test(`${operation.method} ${operation.path}: only role 1 may name a user, be it himself`, async () => {
        for (const role of [2, 3, 4, 5] as const) {
          const scene = await sceneOf(ofRole(role))
          const state = await stateOf(scene)
          const himself = { ...scene, victim: scene.caller, victimSession: scene.callerSpare }
          const answer = await ask(operation, himself, { 'Access-Token': scene.opened.accessToken })
          assertAnswer(operation, answer, [403, 'Forbidden'], `role ${role}`)
          assert.deepEqual(await stateOf(scene), state)
        }
      })
    }
  }

  test('a session is not found under the id of another user, not even by role 1', async () => {
    const operation = byId.find(({ operationId }) => operationId === 'endSession') as ApiOperation
    const scene = await sceneOf(ofRole(1))
    const state = await stateOf(scene)
    const mixed = { ...scene, victimSession: scene.callerSpare }
    const answer = await ask(operation, mixed, { 'Access-Token': scene.opened.accessToken })
    assertAnswer(operation, answer, [404, 'Resource not found'], 'the session of the caller')
    assert.deepEqual(await stateOf(scene), state)
  })
})

describe('who does not exist', () => {
  for (const operation of api.operations.filter(({ path }) => path.includes('{userId}'))) {
    test(`${operation.method} ${operation.path}: role 1 is told so before the body is read, others are not`, async () => {
      const path = operation.path.replace('{userId}', '999999999').replace('{sessionId}', 'x')
      for (const [role, expected] of [
        [1, [404, 'Account not found']],
        [2, [403, 'Forbidden']],
      ] as const) {
        const { opened } = await sceneOf({ ...(CREDENTIALS[0] as Credential), role })
        const query = operation.operationId === 'listActions' ? '?nonsense' : ''
        const headers = { 'Access-Token': opened.accessToken, 'Content-Type': 'application/json' }
        const answer = await send(service.address, operation.method, path + query, headers, '{broken')
        assertAnswer(operation, answer, expected, `role ${role}`)
      }
    })
  }
})
