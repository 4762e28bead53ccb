/**
 * Rotating signing keys refuses no valid token and signs nobody out. The tests cover hours and weeks on a clock that
 * they set, with two instances that notice new keys late, and a verifier that caches the key set for as long as it may.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type JSONWebKeySet, createLocalJWKSet, jwtVerify } from 'jose'
import { isDenial } from '../../src/core/denial.ts'
import { STATUS } from '../../src/core/account.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import { mintAccessToken } from '../../src/tokens/access-token.ts'
import { authenticate } from '../../src/usecases/authenticate.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import { rotateKey } from '../../src/usecases/rotate-key.ts'
import { type Engine, openSqliteEngine } from '../support/engines.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { type Random, createRandom, freshSeed, givenSeed } from '../support/random.ts'
import { HERE } from '../support/people.ts'

const SECOND = 1000
const DAY = 86_400 * SECOND
/** The `max-age` of the key set. */
const CACHED_MS = 300 * SECOND
const ACCESS_TTL_SECONDS = 900

const seed = givenSeed() ?? freshSeed()

test('a verifier that renews the key set only when it must refuses no valid token while access keys rotate', async (t) => {
  t.diagnostic(`seed ${seed}`)
  const random = createRandom(seed)
  const { engine, clock, close } = await open()
  try {
    const { application } = await makeApplication(engine.deps[0], {
      accessTokenTtlSeconds: ACCESS_TTL_SECONDS,
      rotation: false,
    })
    const opened = await openSession(engine.deps[0], await makeAccount(engine.deps[0]), application)
    const verifier = aVerifier(engine, random)
    let tokens: { readonly text: string; readonly endMs: number }[] = []
    let verified = 0
    let nextRotationMs = clock.nowMs
    for (let step = 0; step < 600; step++) {
      await pass(engine, random, random.below(60) * SECOND)
      const deps = random.pick(engine.deps)
      if (clock.nowMs >= nextRotationMs) {
        await rotateKey(deps, 'access')
        // Usually each key signs for a while, but sometimes an operator rotates again after a minute.
        nextRotationMs = clock.nowMs + random.pick([60, 1200, 3600]) * SECOND
      }
      const reply = await refresh(random.pick(engine.deps), opened.refreshToken)
      tokens.push({ text: reply.accessToken, endMs: reply.expiresAtSeconds * SECOND })
      tokens = tokens.filter(({ endMs }) => endMs > clock.nowMs)
      for (const { text } of [tokens[0], random.pick(tokens), tokens.at(-1)].filter(
        (each) => each !== undefined,
      )) {
        await verifier.verify(text)
        for (const each of engine.deps) await assertGood(each, text)
        verified += 1
      }
    }
    const kids = new Set(verifier.seen)
    t.diagnostic(`${verified} times verified, ${kids.size} keys`)
    assert.ok(kids.size > 2)
  } finally {
    await close()
  }
})

test('after its retirement nothing that a key signs is accepted, whatever it says', async () => {
  const random = createRandom(seed)
  const { engine, clock, close } = await open()
  try {
    const [deps] = engine.deps
    const { application } = await makeApplication(deps, { accessTokenTtlSeconds: ACCESS_TTL_SECONDS })
    const account = await makeAccount(deps)
    const { session } = await openSession(deps, account, application)
    const stolen = deps.keys.signer('access')
    const forge = () => {
      const holder = { ...account, status: STATUS.active }
      return mintAccessToken(stolen, deps.names, session, holder, 86_400, clock.nowMs).token
    }
    const verifier = aVerifier(engine, random)
    await rotateKey(deps, 'access')
    await verifier.verify(forge())
    await pass(engine, random, LIMITS.keyPublishedBeforeUseMs + ACCESS_TTL_SECONDS * SECOND)
    // A key is kept a minute longer than its last token, and the verifier may cache it for another five.
    await pass(engine, random, 60 * SECOND)
    await pass(engine, random, CACHED_MS)
    await assert.rejects(verifier.verify(forge()))
    for (const each of engine.deps) assert.ok(isDenial(await authenticate(each, forge(), HERE)))
    await deps.keys.reload()
    const kids = deps.keys.all().map(({ kid }) => kid)
    assert.ok(!kids.includes(stolen.kid), 'the key is gone')
  } finally {
    await close()
  }
})

test('rotating refresh keys signs nobody out, to the absolute end of every session', async (t) => {
  t.diagnostic(`seed ${seed}`)
  const random = createRandom(seed)
  const { engine, clock, close } = await open()
  try {
    const [deps] = engine.deps
    const applications = [
      (await makeApplication(deps, { rotation: true, sessionTtlSeconds: 30 * 86_400 })).application,
      (await makeApplication(deps, { rotation: false, sessionTtlSeconds: 10 * 86_400 })).application,
    ]
    const account = await makeAccount(deps)
    let clients: { token: string; readonly endMs: number }[] = []
    const kids = new Set<unknown>()
    for (let step = 0; step < 200; step++) {
      await pass(engine, random, Math.floor(random.next() * DAY))
      if (random.chance(0.15)) await rotateKey(random.pick(engine.deps), 'refresh')
      if (clients.length < 20) {
        const opened = await openSession(random.pick(engine.deps), account, random.pick(applications))
        clients.push({ token: opened.refreshToken, endMs: opened.session.expiresAtMs })
      }
      clients = clients.filter(({ endMs }) => endMs > clock.nowMs)
      // Some clients refresh often, others only now and then.
      for (const client of clients) {
        if (random.chance(0.6)) continue
        kids.add(kidOf(client.token))
        const reply = await refresh(random.pick(engine.deps), client.token)
        // As after a lost answer: the retry presents the same token.
        const again = await refresh(random.pick(engine.deps), client.token)
        assert.equal(again.refreshToken, reply.refreshToken)
        client.token = reply.refreshToken ?? client.token
      }
    }
    t.diagnostic(`${kids.size} keys`)
    assert.ok(kids.size > 2)
  } finally {
    await close()
  }
})

async function open() {
  const engine = await openSqliteEngine('our clock', { DUKTIG_ACCESS_TOKEN_ALG: 'ES256' })
  const { clock } = engine
  assert.ok(clock !== null)
  return { engine, clock, close: () => engine.close() }
}

/** Lets time pass. Instances reload keys every ten seconds, each at its own time, and remove retired keys. */
async function pass({ deps, clock }: Engine, random: Random, ms: number): Promise<void> {
  assert.ok(clock !== null)
  const untilMs = clock.nowMs + ms
  const reloads = deps.map(() => untilMs - random.below(LIMITS.keyReloadMs))
  for (const [i, each] of deps.entries()) {
    clock.nowMs = Math.max(clock.nowMs, Math.min(untilMs, reloads[i] as number))
    await each.keys.reload()
    await each.store.removeRetiredKeys()
  }
  clock.nowMs = untilMs
}

/** An outside verifier: it fetches the key set from a random instance, and again only when its cache has expired. */
function aVerifier({ deps, clock }: Engine, random: Random) {
  let keySet: JSONWebKeySet = { keys: [] }
  let fetchedMs = Number.NEGATIVE_INFINITY
  const seen: string[] = []
  return {
    seen,
    async verify(token: string): Promise<void> {
      const nowMs = clock?.nowMs ?? 0
      if (nowMs - fetchedMs >= CACHED_MS) {
        keySet = random.pick(deps).keys.publicKeys() as unknown as JSONWebKeySet
        fetchedMs = nowMs
      }
      const { protectedHeader } = await jwtVerify(token, createLocalJWKSet(keySet), {
        algorithms: ['ES256'],
        issuer: deps[0].names.issuer,
        audience: deps[0].names.audience,
        currentDate: new Date(nowMs),
      })
      seen.push(protectedHeader.kid ?? '')
    },
  }
}

async function refresh(deps: Deps, refreshToken: string) {
  const request = { refreshToken, attemptKey: null, application: null, address: '192.0.2.1' }
  const reply = await refreshSession(deps, request)
  assert.ok(!isDenial(reply), JSON.stringify(reply))
  return reply
}

async function assertGood(deps: Deps, accessToken: string): Promise<void> {
  assert.ok(!isDenial(await authenticate(deps, accessToken, HERE)))
}

function kidOf(token: string): unknown {
  return (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: unknown }).kid
}
