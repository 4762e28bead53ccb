/** Answers that are lost after the commit: the retry must get what was lost. */
import assert from 'node:assert/strict'
import { startDroppingProxy } from '../support/dropping-proxy.ts'
import { type Engine, startInstances } from '../support/engines.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { type Random, createRandom } from '../support/random.ts'
import { send } from '../support/raw-http.ts'

/** Longer than the parallel window, so that the token rotates. */
const REST_MS = 30_000
/** Sessions that lose answers side by side. */
const LANES = 8

interface Line {
  /** Sends a refresh and loses the answer. Returns the refresh token that was in it. */
  lose(instance: number, token: string, key: string | null): Promise<string>
  /** Sends a refresh. Returns the refresh token of the answer. */
  ask(instance: number, token: string, key: string | null): Promise<string>
}

/** Loses `count` answers; each is asked for again at either instance, and some of these retries are lost too. */
export async function loseReplies(
  engine: Engine,
  options: { readonly withKey: boolean; readonly count: number; readonly seed: number },
  onLoss: (done: number) => void = () => {},
): Promise<void> {
  const services = await startInstances(engine)
  const proxies = await Promise.all(services.map(({ address }) => startDroppingProxy(address)))
  const line: Line = {
    async lose(instance, token, key) {
      const proxy = proxies[instance] as (typeof proxies)[number]
      await assert.rejects(refresh(proxy.address, token, key), 'the answer is lost')
      // Other sessions lose answers in the same proxy, so the answer is found by its session.
      return lastAbout(proxy.dropped, token)
    },
    ask: async (instance, token, key) => {
      const { status, text } = await refresh(services[instance]?.address ?? '', token, key)
      assert.equal(status, 200, text)
      return tokenIn(text)
    },
  }
  let done = 0
  const lane = async (_: unknown, number: number) => {
    const random = createRandom(options.seed + number)
    const lose = await losing(engine, line, random, options.withKey)
    while (done < options.count) {
      done += 1
      onLoss(done)
      await lose()
    }
  }
  try {
    await Promise.all(Array.from({ length: LANES }, lane))
  } finally {
    for (const proxy of proxies) await proxy.close()
    for (const service of new Set(services)) await service.stop()
  }
}

/** Opens a session. Returns a function that loses one more of its answers and asks again. */
async function losing(
  engine: Engine,
  line: Line,
  random: Random,
  withKey: boolean,
): Promise<() => Promise<void>> {
  const [deps] = engine.deps
  const { application } = await makeApplication(deps)
  const { session, refreshToken } = await openSession(deps, await makeAccount(deps), application)
  let token = refreshToken
  let keys = 0
  return async () => {
    await engine.pass(session.sessionId, REST_MS)
    const key = withKey ? `${session.sessionId}-${++keys}` : null
    const successor = await line.lose(random.below(2), token, key)
    while (random.chance(0.3)) assert.equal(await line.lose(random.below(2), token, key), successor)
    for (let tries = 1 + random.below(2); tries > 0; tries--)
      assert.equal(await line.ask(random.below(2), token, key), successor)
    const view = await deps.store.readSession(session.sessionId)
    assert.equal(view?.session.endedAtMs, null, 'the session lives')
    token = successor
  }
}

function refresh(address: string, token: string, key: string | null): ReturnType<typeof send> {
  const headers = { 'Refresh-Token': token, ...(key === null ? {} : { 'Idempotency-Key': key }) }
  return send(address, 'POST', '/auth/refresh_token', headers)
}

function lastAbout(answers: readonly string[], token: string): string {
  const session = sessionOf(token)
  const answer = answers.findLast(
    (text) => text.startsWith('HTTP/1.1 200') && sessionOf(tokenIn(text)) === session,
  )
  assert.ok(answer !== undefined, 'the answer left the service')
  return tokenIn(answer)
}

function tokenIn(text: string): string {
  return /"refresh_token":"([^"]+)"/.exec(text)?.[1] ?? ''
}

function sessionOf(token: string): unknown {
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return claims === '' ? null : (JSON.parse(claims) as { sid: unknown }).sid
}
