/** The API reference agrees with a running service about requests: fields, values and methods that it accepts. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { faultAnswer } from '../../src/http/duktig/faults.ts'
import { type Schema, schemaMistakes } from '../support/json-schema.ts'
import { type Api, type ApiOperation, answerMistakes, apiOf } from '../support/openapi.ts'
import { PASSWORD, addAccount, signIn } from '../support/people.ts'
import { type RawAnswer, send } from '../support/raw-http.ts'
import { AUTH_KEY, UNLIMITED, silentLog, startTestService } from '../support/service.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const MIN_CODE_POINTS = 15

// The tests are generated from the document, so it must be loaded before they are defined.
const service = await startTestService({ ...UNLIMITED, DUKTIG_PASSWORD_MIN_LENGTH: String(MIN_CODE_POINTS) })
const api: Api = await apiOf(service.address)
after(() => service.stop())

let headers: Readonly<Record<string, string>>
let ownId: number
let somebodysId: number
/** The address of the account that signs in. */
let email: string
before(async () => {
  const administrator = await addAccount(service, { roleId: 1 })
  ownId = administrator.accountId
  somebodysId = (await addAccount(service)).accountId
  email = (await addAccount(service)).email
  const { accessToken } = await signIn(service, administrator.email)
  headers = { 'X-Auth-Key': AUTH_KEY, 'Access-Token': accessToken }
})

function operation(operationId: string): ApiOperation {
  const found = api.operations.find((one) => one.operationId === operationId)
  assert.ok(found, operationId)
  return found
}

function propertiesOf({ body }: ApiOperation): Readonly<Record<string, Schema>> {
  return (body?.['properties'] ?? {}) as Record<string, Schema>
}

function fits(schema: Schema, value: unknown): boolean {
  return schemaMistakes(api.document, schema, value).length === 0
}

function ask({ method, path }: ApiOperation, body: object | null, userId = somebodysId): Promise<RawAnswer> {
  const filled = path.replace('{userId}', String(userId))
  if (body === null) return send(service.address, method, filled, headers)
  const typed = { ...headers, 'Content-Type': 'application/json' }
  return send(service.address, method, filled, typed, JSON.stringify(body))
}

let people = 0
/** A valid value for each of the named fields. */
function goodBody(names: readonly string[]): Record<string, unknown> {
  const signsIn = names.join() === 'email,password'
  const good: Readonly<Record<string, unknown>> = {
    firstName: 'Ani',
    lastName: 'Sarkis',
    email: signsIn ? email : `reference-${++people}@example.com`,
    password: PASSWORD,
    phone: '37411223344',
    comment: 'a comment',
    roleId: 4,
    status: 1,
  }
  return Object.fromEntries(names.map((name) => [name, good[name]]))
}

describe('of a body', () => {
  for (const one of api.operations.filter(({ body }) => body !== null)) {
    const { method, path, body } = one
    const properties = propertiesOf(one)
    const names = Object.keys(properties)
    const isPatch = body?.['required'] === undefined
    /** A body with this field. For `PATCH` it has as few fields as possible, because hashing passwords takes time. */
    const bodyWith = (name: string) =>
      goodBody(isPatch ? [name, name === 'phone' ? 'lastName' : 'phone'] : names)

    test(`${method} ${path}: a field may be null, or left out, exactly where the reference says so`, async () => {
      for (const name of names) {
        const whole = bodyWith(name)
        const { [name]: _, ...without } = whole
        const said = (value: object) => (body !== null && fits(body, value) ? 200 : 422)
        const answers = [whole, { ...whole, [name]: null }, without].map(async (value) => {
          const { status, text } = await ask(one, value)
          assert.equal(status, said(value), `${JSON.stringify(value)}: ${text}`)
        })
        await Promise.all(answers)
      }
    })
  }

  test('PATCH takes none that says nothing, and the reference says that null is nothing', async () => {
    for (const id of ['patchOwnAccount', 'patchAccount']) {
      const names = Object.keys(propertiesOf(operation(id)))
      for (const body of [{}, Object.fromEntries(names.map((name) => [name, null]))]) {
        assert.equal((await ask(operation(id), body)).status, 422)
      }
    }
    const { text } = await send(service.address, 'GET', '/docs')
    assert.equal(text.split('Null is no value: it leaves the field as it is.').length - 1, 2)
  })

  test('a text is counted in code points', async () => {
    const schema = propertiesOf(operation('patchOwnAccount'))['firstName'] as Schema
    for (const firstName of [
      '\u{1f600}',
      '\u{1f600}'.repeat(2),
      '\u{1f600}'.repeat(15),
      '\u{1f600}'.repeat(16),
    ]) {
      const { status } = await ask(operation('patchOwnAccount'), { firstName })
      assert.equal(status, fits(schema, firstName) ? 200 : 422, firstName)
    }
  })

  test('a password is counted in bytes and code points, and its bounds in the reference are those of what is taken', async () => {
    const schema = propertiesOf(operation('patchOwnAccount'))['password'] as Schema
    const rows = [
      ['Correct-Hors-1', false],
      ['Correct-Horse-1', true],
      ['\u{1f600}'.repeat(13) + 'a', false],
      ['\u{1f600}'.repeat(14) + 'a', true],
      // No other character is spelled as three by NFC, so that these are the shortest.
      ['\ufb2c'.repeat(4) + 'ab', false],
      ['\ufb2c'.repeat(5) + 'a', true],
      ['a1'.repeat(128), true],
      ['a1'.repeat(128) + 'b', false],
      ['é'.repeat(127) + 'a1', true],
      ['é'.repeat(128) + 'a', false],
    ] as const
    const taken: number[] = []
    for (const [password, isTaken] of rows) {
      const { status, text } = await ask(operation('patchOwnAccount'), { password })
      assert.equal(status, isTaken ? 200 : 422, `${password}: ${text}`)
      if (isTaken) assert.ok(fits(schema, password), password)
      if (isTaken) taken.push([...password].length)
    }
    assert.deepEqual([Math.min(...taken), Math.max(...taken)], [schema['minLength'], schema['maxLength']])
    const stated = ['patchOwnAccount', 'registerAccount', 'signIn'].map((id) =>
      /^(\d+) to 256 bytes of UTF-8, (\d*)/.exec(
        String(propertiesOf(operation(id))['password']?.['description']),
      ),
    )
    // The minimum of the settings applies where a password is set, not where one is only checked.
    assert.deepEqual(
      stated.map((found) => found?.slice(1)),
      [
        ['6', String(MIN_CODE_POINTS)],
        ['6', String(MIN_CODE_POINTS)],
        ['6', ''],
      ],
    )
  })
})

describe('of a path', () => {
  for (const path of new Set(api.operations.map((one) => one.path))) {
    const listed = api.operations.filter((one) => one.path === path)

    test(`${path}: answers the methods that the reference lists, and no others`, async () => {
      for (const method of METHODS) {
        const { status, text } = await send(
          service.address,
          method,
          path.replace('{userId}', '1').replace('{sessionId}', 'x'),
        )
        const isListed = listed.some((one) => one.method === method)
        assert.equal(status !== 404, isListed, `${method}: ${status} ${text}`)
      }
    })

    for (const { method, parameters } of listed.filter(() => path.includes('{'))) {
      test(`${method} ${path}: takes the ids that the reference allows, and says what they are`, async () => {
        const stated = parameters.filter((one) => one.in === 'path')
        assert.deepEqual(
          stated.map(({ name }) => `{${name}}`),
          path.match(/\{\w+\}/g),
        )
        for (const { name, schema, description } of stated) {
          assert.ok(description)
          const ids =
            name === 'userId' ? [-4, -3, -2, -1, 0, 1, 2] : ['x', 'A_z-9', 'a.b', 'é', 'x'.repeat(65)]
          for (const id of ids) {
            const filled = path.replace(`{${name}}`, encodeURIComponent(id)).replace(/\{\w+\}/, '1')
            const { status } = await send(service.address, method, filled)
            assert.equal(status, fits(schema, id) ? 401 : 404, `${name} ${id}`)
          }
        }
      })
    }
  }

  test('the reference and its page are in the reference themselves', () => {
    for (const path of ['/docs', '/openapi.json']) assert.ok(api.operations.some((one) => one.path === path))
  })

  test('HEAD is answered as GET is, without the content', async () => {
    const heads = api.operations.filter(({ method }) => method === 'HEAD')
    assert.deepEqual(
      heads.map(({ path }) => path),
      ['/health/live', '/health/ready'],
    )
    for (const { path } of heads) {
      const [head, get] = await Promise.all(
        ['HEAD', 'GET'].map((method) => send(service.address, method, path)),
      )
      const { date: _, ...headHeaders } = head?.headers ?? {}
      const { date: __, ...getHeaders } = get?.headers ?? {}
      assert.deepEqual([head?.status, head?.text, headHeaders], [get?.status, '', getHeaders])
    }
  })
})

describe('of a query', () => {
  const good: Readonly<Record<string, number>> = { offset: 0, limit: 1, dateFrom: 0, dateTo: 1 }
  for (const one of api.operations) {
    const parameters = one.parameters.filter(({ in: place }) => place === 'query')
    if (parameters.length === 0) continue
    test(`${one.method} ${one.path}: a number is taken exactly where the reference allows it`, async () => {
      for (const { name, schema } of parameters) {
        for (const number of [-1e12, -1e12 + 1, -1, 0, 1, 1e12 - 1, 1e12, 1e15]) {
          const pairs = parameters.map(
            (other) => `${other.name}=${other.name === name ? number : good[other.name]}`,
          )
          const path = `${one.path}?${pairs.join('&')}`
          const { status, text } = await ask({ ...one, path }, null)
          assert.equal(status, fits(schema, number) ? 200 : 422, `${name}=${number}: ${text}`)
        }
      }
    })
  }
})

describe('of answers', () => {
  const schemaOf = ({ responses }: ApiOperation, status: number) =>
    responses[status]?.content?.['application/json']?.schema as Schema
  const byField = { email: ['Required valid email address'] }
  const inOne = { status: 'error', message: 'no' }

  test('422 tells broken rules by field, and in one message that an account must stay as it is', async () => {
    const refusals = [
      await ask(operation('terminateAccount'), null, ownId),
      await ask(operation('patchAccount'), { roleId: 4 }, ownId),
      await ask(
        operation('replaceAccount'),
        goodBody(Object.keys(propertiesOf(operation('replaceAccount')))),
        ownId,
      ),
    ]
    const ids = ['terminateAccount', 'patchAccount', 'replaceAccount']
    for (const [i, { status, text }] of refusals.entries()) {
      assert.equal(status, 422)
      assert.ok(fits(schemaOf(operation(ids[i] as string), 422), JSON.parse(text)), text)
    }
    for (const one of api.operations.filter(({ responses }) => responses['422'] !== undefined)) {
      const { operationId, body, parameters } = one
      const hasRules = body !== null || parameters.some(({ in: place }) => place === 'query')
      assert.equal(fits(schemaOf(one, 422), byField), hasRules, operationId)
      assert.equal(fits(schemaOf(one, 422), inOne), ids.includes(operationId), operationId)
    }
  })

  test('every route may fail, with or without the reason', () => {
    for (const mode of ['production', 'development'] as const) {
      for (const one of api.operations.filter(({ method }) => method !== 'HEAD')) {
        const { status, contentType, text } = faultAnswer(new Error('why'), one.path, mode, silentLog)
        const answer = { status, headers: { 'content-type': String(contentType) }, text }
        assert.deepEqual(answerMistakes(api, one, answer), [])
      }
    }
  })
})
