/** A sign-in does not survive a change of its password, or an end of its account or of all sessions, that it races. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Account } from '../../src/core/account.ts'
import type { Application } from '../../src/core/application.ts'
import { isDenial } from '../../src/core/denial.ts'
import { authenticate } from '../../src/usecases/authenticate.ts'
import { changeAccount } from '../../src/usecases/change-account.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { endSessions } from '../../src/usecases/end-sessions.ts'
import { SYSTEM } from '../../src/core/actions.ts'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import { type SignedIn, signIn } from '../../src/usecases/sign-in.ts'
import { ENGINES, type Engine } from '../support/engines.ts'
import { makeAccount, makeApplication } from '../support/opened-session.ts'
import { type Random, createRandom, freshSeed, givenSeed } from '../support/random.ts'
import { HERE } from '../support/people.ts'

const ROUNDS = 100
const SIGN_INS = 4
const ADDRESS = '192.0.2.1'
const BY = { accountId: SYSTEM, code: 'Users->patchAccount', message: 'a race' } as const
/** Each delay in these races is below this number of turns of the event loop. */
const TURNS = 12

interface Race {
  readonly what: string
  run(deps: Deps, account: Account): Promise<unknown>
  /** The password that signs in afterwards; null if none does. */
  readonly password: string | null
}

const RACES: readonly Race[] = [
  {
    what: 'a change of the password',
    run: (deps, { accountId }) => changeAccount(deps, BY, accountId, { password: 'new-Password-1' }),
    password: 'new-Password-1',
  },
  {
    what: 'a suspension',
    run: (deps, { accountId }) => changeAccount(deps, BY, accountId, { status: 2 }),
    password: null,
  },
  {
    what: 'a termination',
    run: (deps, { accountId }) => changeAccount(deps, BY, accountId, { status: 3 }),
    password: null,
  },
]

for (const { name, open } of ENGINES) {
  describe(`sign-ins on ${name}`, () => {
    let engine: Engine
    let application: Application
    let deps: readonly [Deps, Deps]
    const seed = givenSeed() ?? freshSeed()
    const random = createRandom(seed)
    before(async () => {
      engine = await open()
      application = (await makeApplication(engine.deps[0])).application
      deps = [withPlainPasswords(engine.deps[0], random), withPlainPasswords(engine.deps[1], random)]
    })
    after(() => engine.close())

    for (const race of RACES) {
      test(`no sign-in that raced ${race.what} survives it`, async (t) => {
        t.diagnostic(`seed ${seed}`)
        let opened = 0
        for (let round = 0; round < ROUNDS; round++) {
          const account = await makeAccount(deps[0], { passwordHash: 'plain:old' })
          const [signIns] = await Promise.all([
            Promise.all(
              Array.from({ length: SIGN_INS }, async (_, i) => {
                await turns(random.below(TURNS))
                return tryToSignIn(deps[i % 2] as Deps, application, account, 'old')
              }),
            ),
            turns(random.below(TURNS)).then(() => race.run(deps[round % 2] as Deps, account)),
          ])
          for (const signedIn of signIns.filter((each) => each !== null)) {
            opened += 1
            for (const each of deps) await assertDead(each, signedIn)
          }
          await assertAfter(deps, application, account, race.password)
        }
        t.diagnostic(`${opened} of ${ROUNDS * SIGN_INS} sign-ins were opened before and ended`)
        assert.ok(opened > 0 && opened < ROUNDS * SIGN_INS, 'some came before and some after')
      })
    }

    test('a sign-in that races the end of all sessions is ended with them, or came after', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const account = await makeAccount(deps[0], { passwordHash: 'plain:old' })
        await Promise.all([
          tryToSignIn(deps[0], application, account, 'old'),
          turns(random.below(TURNS)).then(() => {
            return endSessions(deps[1], BY, account.accountId, 'ended-by-administrator')
          }),
        ])
        const sessions = await deps[0].store.listSessions(account.accountId, 10)
        // A sign-in that was under way reads the account again, so it opens its session after the end of all sessions.
        const ended = sessions.filter(({ endedAtMs }) => endedAtMs !== null)
        assert.ok(sessions.length - ended.length <= 1)
        for (const { endReason } of ended) assert.equal(endReason, 'ended-by-administrator')
      }
    })

    test('a sign-in during whose every try all sessions end is told to come again, not that its password is wrong', async () => {
      const account = await makeAccount(deps[0], { passwordHash: 'plain:old' })
      const { accountId, email } = account
      const verify = async (hash: string, password: string) => {
        await endSessions(deps[1], BY, accountId, 'ended-by-administrator')
        return deps[0].passwords.verify(hash, password)
      }
      const interrupted = { ...deps[0], passwords: { ...deps[0].passwords, verify } }
      const device = { address: ADDRESS, userAgent: null, deviceId: null }
      const request = { application, email, password: 'old', device, deviceToken: '' }
      assert.deepEqual(await signIn(interrupted, request), { denied: 'try-again', retryAfterSeconds: 1 })
      assert.notEqual(await tryToSignIn(deps[0], application, account, 'old'), null)
    })
  })
}

async function tryToSignIn(
  deps: Deps,
  application: Application,
  { email }: Account,
  password: string,
): Promise<SignedIn | null> {
  const device = { address: ADDRESS, userAgent: null, deviceId: null }
  const answer = await signIn(deps, { application, email, password, device, deviceToken: '' })
  return isDenial(answer) ? null : answer
}

async function assertDead(deps: Deps, { refreshToken, accessToken }: SignedIn): Promise<void> {
  const request = { refreshToken, attemptKey: null, application: null, address: ADDRESS }
  assert.ok(isDenial(await refreshSession(deps, request)), 'the refresh token is dead')
  assert.ok(isDenial(await authenticate(deps, accessToken, HERE)), 'the access token is dead')
}

async function assertAfter(
  [first, second]: readonly [Deps, Deps],
  application: Application,
  account: Account,
  password: string | null,
): Promise<void> {
  assert.equal(await tryToSignIn(second, application, account, 'old'), null)
  if (password !== null) assert.notEqual(await tryToSignIn(first, application, account, password), null)
  const sessions = await second.store.listSessions(account.accountId, 10)
  const live = sessions.filter(({ endedAtMs }) => endedAtMs === null)
  assert.equal(live.length, password === null ? 0 : 1)
}

/** Hashing costs no work here, but takes a random number of turns, so that many interleavings occur. */
function withPlainPasswords(deps: Deps, random: Random): Deps {
  const passwords = {
    ...deps.passwords,
    async hash(password: string) {
      await turns(random.below(TURNS))
      return `plain:${password}`
    },
    async verify(hash: string, password: string) {
      await turns(random.below(TURNS))
      return hash === `plain:${password}`
    },
  }
  return { ...deps, passwords }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn()
}
