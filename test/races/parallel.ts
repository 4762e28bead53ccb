/** Many requests at the same time with one token. */
import assert from 'node:assert/strict'
import type { Engine } from '../support/engines.ts'
import { claimsOf } from '../support/keys.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import type { Reply, Transport } from '../walks/site.ts'

const AT_ONCE = 64
/** Longer than the parallel window, so that the token rotates. */
const REST_MS = 30_000

/** The kinds of attempt keys, one kind a round in turn: none, one for all requests, or one for each request. */
const KEYS: readonly ((round: number, request: number) => string | null)[] = [
  () => null,
  (round) => `key-${round}`,
  (round, request) => `key-${round}-${request}`,
]

/** Every round has exactly one successor, which every request gets; none is refused, and none fails. */
export async function raceRounds(
  engine: Engine,
  transport: Transport,
  rounds: number,
  onRound: (done: number) => void = () => {},
): Promise<void> {
  const [deps] = engine.deps
  const { application } = await makeApplication(deps)
  const { session, refreshToken } = await openSession(deps, await makeAccount(deps), application)
  let token = refreshToken
  for (let round = 1; round <= rounds; round++) {
    await engine.pass(session.sessionId, REST_MS)
    const keyOf = KEYS[round % KEYS.length] as (typeof KEYS)[number]
    const replies = await atOnce(transport, token, (request) => keyOf(round, request))
    const successors = new Set(replies.map(successorOf))
    assert.equal(successors.size, 1, 'there is one successor')
    token = [...successors][0] as string
    assert.equal(claimsOf(token)['gen'], round + 1)
    const resting = await atOnce(transport, token, () => null)
    assert.deepEqual(new Set(resting.map(successorOf)), new Set([null]), 'a fresh token is kept')
    onRound(round)
  }
  const view = await deps.store.readSession(session.sessionId)
  assert.equal(view?.session.generation, rounds + 1)
  assert.equal(view?.session.endedAtMs, null)
}

function atOnce(
  transport: Transport,
  token: string,
  keyOf: (request: number) => string | null,
): Promise<Reply[]> {
  return Promise.all(
    Array.from({ length: AT_ONCE }, (_, i) => transport.refresh(i % 2 === 0 ? 0 : 1, token, keyOf(i), null)),
  )
}

function successorOf(reply: Reply): string | null {
  assert.ok(reply.kind === 'granted', JSON.stringify(reply))
  return reply.refreshToken
}
