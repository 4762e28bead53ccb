/**
 * Forged tokens, class by class, against the verifying functions and over HTTP: none is accepted, and none makes the
 * service ask the database.
 */
import assert from 'node:assert/strict'
import { type Server, createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Composed } from '../../src/compose.ts'
import { readAccessToken } from '../../src/tokens/access-token.ts'
import { signJws } from '../../src/tokens/jws.ts'
import { readRefreshToken } from '../../src/tokens/refresh-token.ts'
import { CLASSES, forgeries } from '../support/forgeries/all.ts'
import type { Forgery, Target } from '../support/forgeries/forgery.ts'
import { ALGORITHMS, claimsOf } from '../support/keys.ts'
import { type Tokens, addAccount, readOwn, refresh, signIn } from '../support/people.ts'
import { send } from '../support/raw-http.ts'
import { type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'
import { type Statements, watchStatements } from '../support/statements.ts'

const INVALID = '{"status":"error","message":"Invalid token"}'
const UNAUTHORIZED = '{"status":"error","message":"Unauthorized"}'
/** The number of forgeries of a class that are sent over HTTP; with HS256, the first way gets all of them. */
const SAMPLE = 40
/** What a header carries unchanged. The client or the server's parser refuses everything else. */
const SENDABLE = /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/

interface Way {
  readonly name: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: (token: string) => Record<string, string>
}

const ACCESS_WAYS: readonly Way[] = [
  { name: 'Access-Token', method: 'GET', path: '/user', headers: (token) => ({ 'Access-Token': token }) },
  {
    name: 'Bearer',
    method: 'GET',
    path: '/user',
    headers: (token) => ({ Authorization: `Bearer ${token}` }),
  },
]
const REFRESH_WAYS: readonly Way[] = ['Refresh-Token', 'X-Refresh-Token'].map((name) => ({
  name,
  method: 'POST',
  path: '/auth/refresh_token',
  headers: (token) => ({ [name]: token }),
}))

for (const algorithm of ALGORITHMS) {
  describe(`access tokens signed with ${algorithm}`, () => {
    let service: TestService
    let beside: Composed & { close(): Promise<void> }
    let tokens: Tokens
    let statements: Statements
    let listener: Server
    let connections = 0

    before(async () => {
      service = await startTestService({ ...UNLIMITED, DUKTIG_ACCESS_TOKEN_ALG: algorithm })
      beside = await openBeside(service)
      // Forgeries name account 1, so the genuine tokens must belong to another account.
      await addAccount(service)
      tokens = await signIn(service, (await addAccount(service)).email)
      listener = createServer((socket) => {
        connections++
        socket.destroy()
      })
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
      statements = watchStatements()
    })
    after(async () => {
      statements.restore()
      listener.close()
      await beside.close()
      await service.stop()
    })

    function target(kind: 'access' | 'refresh'): Target {
      const { port } = listener.address() as { port: number }
      const { keys } = beside.deps
      const access = keys.signer('access')
      const publicKey = access.publicJwk() === null ? null : access
      const listens = `http://127.0.0.1:${port}`
      return kind === 'access'
        ? { genuine: tokens.accessToken, key: access, publicKey, listener: listens }
        : { genuine: tokens.refreshToken, key: keys.signer('refresh'), publicKey, listener: listens }
    }

    /** Whether the verifying function for this kind accepts the token. */
    function isRead(kind: 'access' | 'refresh', token: string): boolean {
      const { keys, names } = beside.deps
      return kind === 'access'
        ? readAccessToken(token, keys.verifiers('access'), names) !== null
        : readRefreshToken(token, keys.verifiers('refresh'), names) !== null
    }

    async function isRefused({ id, name, token }: Forgery, way: Way): Promise<void> {
      const { status, text } = await send(service.address, way.method, way.path, way.headers(token))
      const says = `${id} ${name} as ${way.name}: ${status} ${text}`
      assert.equal(status, 401, says)
      // A value with spaces is not a bearer token, so the request counts as one without a token.
      assert.equal(text, way.name === 'Bearer' && token.includes(' ') ? UNAUTHORIZED : INVALID, says)
    }

    for (const kind of ['access', 'refresh'] as const) {
      const ways = kind === 'access' ? ACCESS_WAYS : REFRESH_WAYS
      // Services always sign refresh tokens with HS256. Only forgeries with the public access key differ by algorithm.
      const classes = Object.entries(CLASSES).filter(
        ([id]) => kind === 'access' || algorithm === 'HS256' || id === 'JA-06',
      )
      let all: readonly Forgery[] = []
      before(() => {
        all = [...forgeries(target(kind))]
      })
      for (const [id, title] of classes) {
        test(`${id} ${title}: no forged ${kind} token is accepted`, async () => {
          const some = all.filter((forgery) => forgery.id === id)
          const applies = id !== 'JA-06' || algorithm !== 'HS256'
          assert.equal(some.length > 0, applies)
          for (const { name, token } of some) assert.equal(isRead(kind, token), false, `${id} ${name}`)
          statements.reset()
          const sendable = some.filter(({ token }) => SENDABLE.test(token))
          for (const [i, way] of ways.entries()) {
            const sent = i === 0 && algorithm === 'HS256' ? sendable : spread(sendable, SAMPLE)
            for (const forgery of sent) await isRefused(forgery, way)
          }
          assert.equal(statements.count(), 0, 'a forgery touched the database')
        })
      }

      test(`after all that the genuine ${kind} token is good, and does touch the database`, async () => {
        statements.reset()
        for (const way of ways) {
          const { genuine } = target(kind)
          const { status } = await send(service.address, way.method, way.path, way.headers(genuine))
          assert.equal(status, 200)
        }
        assert.ok(statements.count() > 0)
      })
    }

    test('nothing was fetched from the place that forgeries name', () => {
      assert.equal(connections, 0)
    })

    test('an access token does not refresh, a refresh token opens nothing', async () => {
      statements.reset()
      assert.equal((await refresh(service, tokens.accessToken)).status, 401)
      assert.equal((await readOwn(service, tokens.refreshToken)).status, 401)
      assert.equal(statements.count(), 0)
    })

    test('JA-13 a token of the future is refused, one that a clock a little ahead has made is not', async () => {
      const { key } = target('access')
      const claims = claimsOf(tokens.accessToken)
      const aheadBy = (name: string, seconds: number) => {
        const changed = { ...claims, [name]: Math.floor(Date.now() / 1000) + seconds }
        return readOwn(service, signJws(key, JSON.stringify(changed)))
      }
      for (const name of ['nbf', 'iat']) {
        const { status, body } = await aheadBy(name, 3600)
        assert.deepEqual([status, body], [401, { status: 'error', message: 'Access-Token Expired' }])
        assert.equal((await aheadBy(name, 30)).status, 200)
      }
    })

    test('an empty header is none', async () => {
      for (const way of [...ACCESS_WAYS, ...REFRESH_WAYS]) {
        const { status, text } = await send(service.address, way.method, way.path, way.headers(''))
        assert.deepEqual([status, text], [401, UNAUTHORIZED], way.name)
      }
    })
  })
}

/** At most `most` items, spread over the whole list. */
function spread<T>(all: readonly T[], most: number): readonly T[] {
  const step = Math.max(1, all.length / most)
  return all.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step))
}
