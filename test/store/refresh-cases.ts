import { NO_SESSION, WRONG_APPLICATION } from '../../src/core/denial.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RefreshDecision } from '../../src/core/refresh.ts'
import type { Session, SessionView } from '../../src/core/session.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { type TestStore, age, makeApplication, refreshRequest, signedIn, stored } from './engine.ts'

export function refreshCases(shared: () => TestStore): void {
  writingCases(shared)
  sharedTurnCases(shared)

  test('the decision is asked with the committed row, its account and application, the token and the time', async () => {
    const { store } = shared()
    const { session, account, application } = await signedIn(store)
    const seen: unknown[] = []
    const request = refreshRequest(store, session, {
      attemptKey: 'key',
      decide: (view, presented, nowMs) => {
        seen.push(view, presented, nowMs)
        return { kind: 'keep', touch: false }
      },
    })
    const outcome = await store.refreshSession(request)
    const view: SessionView = {
      session,
      account: {
        accountId: account.accountId,
        firstName: account.firstName,
        lastName: account.lastName,
        email: account.email,
        roleId: account.roleId,
        status: account.status,
      },
      application,
    }
    assert.deepEqual(seen, [view, request.presented, outcome.nowMs])
    assert.deepEqual(outcome, { decision: { kind: 'keep', touch: false }, view, nowMs: outcome.nowMs })
    assert.ok(Math.abs(outcome.nowMs - store.clock.nowMs()) < 30_000)
  })

  test('an unknown session is none', async () => {
    const { store } = shared()
    const { session } = await signedIn(store)
    const { decision, view } = await store.refreshSession(
      refreshRequest(store, { ...session, sessionId: 'x' }),
    )
    assert.deepEqual(decision, { kind: 'deny', denial: NO_SESSION })
    assert.equal(view, null)
  })

  test('a session of another application than the one that asks is refused and stays as it is', async () => {
    const { store } = shared()
    const { session, application } = await signedIn(store)
    const other = await makeApplication(store)
    const foreign = await store.refreshSession(
      refreshRequest(store, session, { applicationId: other.applicationId }),
    )
    assert.deepEqual(foreign.decision, { kind: 'deny', denial: WRONG_APPLICATION })
    assert.deepEqual(await stored(store, session.sessionId), session)
    const own = { applicationId: application.applicationId }
    assert.equal((await store.refreshSession(refreshRequest(store, session, own))).decision.kind, 'keep')
  })

  test('after its deadline a request is refused, and nothing is written', async () => {
    const { store } = shared()
    const { session } = await signedIn(store, { parallelWindowSeconds: 0 })
    const late = refreshRequest(store, session, { deadlineMs: store.clock.nowMs() - 1 })
    await assert.rejects(store.refreshSession(late), StoreUnavailable)
    assert.deepEqual(await stored(store, session.sessionId), session)
  })

  test('a decision that fails is the fault of its own request only', async () => {
    const { store } = shared()
    const [first, second] = [await signedIn(store), await signedIn(store)]
    const fault = new Error('a fault')
    const outcomes = await Promise.allSettled([
      store.refreshSession(
        refreshRequest(store, first.session, {
          decide: () => {
            throw fault
          },
        }),
      ),
      store.refreshSession(refreshRequest(store, first.session)),
      store.refreshSession(refreshRequest(store, second.session)),
    ])
    assert.deepEqual(
      outcomes.map((outcome) =>
        outcome.status === 'rejected' ? outcome.reason : outcome.value.decision.kind,
      ),
      [fault, 'keep', 'keep'],
    )
  })
}

function writingCases(shared: () => TestStore): void {
  interface Case {
    readonly name: string
    readonly decision: RefreshDecision
    /** The fields of the row that differ afterwards. */
    readonly changes: (nowMs: number, session: Session) => Partial<Session>
  }
  const cases: readonly Case[] = [
    {
      name: 'a denial leaves the row alone',
      decision: { kind: 'deny', denial: { denied: 'account-inactive' } },
      changes: () => ({}),
    },
    { name: 'keeping leaves the row alone', decision: { kind: 'keep', touch: false }, changes: () => ({}) },
    {
      name: 'keeping with a touch writes the last use only',
      decision: { kind: 'keep', touch: true },
      changes: (nowMs) => ({ lastUsedAtMs: nowMs }),
    },
    {
      name: 'an advance writes the generation it says, its times, the signing key and the attempt key',
      decision: { kind: 'advance', generation: 8, attemptKey: 'key', recovered: false },
      changes: (nowMs) => ({
        generation: 8,
        rotatedAtMs: nowMs,
        handedOutAtMs: nowMs,
        kid: 'kid-1',
        attemptKey: 'key',
        repeats: 0,
        lastUsedAtMs: nowMs,
      }),
    },
    {
      name: 'an advance without attempt key forgets that of the rotation before',
      decision: { kind: 'advance', generation: 4, attemptKey: null, recovered: true },
      changes: (nowMs) => ({
        generation: 4,
        rotatedAtMs: nowMs,
        handedOutAtMs: nowMs,
        kid: 'kid-1',
        attemptKey: null,
        repeats: 0,
        lastUsedAtMs: nowMs,
      }),
    },
    {
      name: 'a repeat writes when it was handed out and how often, and keeps the token',
      decision: { kind: 'repeat', repeats: 6 },
      changes: (nowMs) => ({ handedOutAtMs: nowMs, repeats: 6, lastUsedAtMs: nowMs }),
    },
    {
      name: 'an end writes when and why, and nothing else',
      decision: { kind: 'end' },
      changes: (nowMs) => ({ endedAtMs: nowMs, endReason: 'reuse' }),
    },
  ]
  for (const { name, decision, changes } of cases) {
    test(name, async () => {
      const { store, sql } = shared()
      // With an idle limit the date of last use matters, so it must be written before the answer.
      const { session, account, application } = await signedIn(store, { idleSeconds: 3600 })
      await age(shared(), session.sessionId, 30)
      const state = 'generation = 3, repeats = 5, attempt_key = ?'
      await sql(`update sessions set ${state} where session_id = ?`, 'key-before', session.sessionId)
      const before = await stored(store, session.sessionId)
      const outcome = await store.refreshSession(refreshRequest(store, session, { decide: () => decision }))
      const after = { ...before, ...changes(outcome.nowMs, before) }
      assert.deepEqual(outcome.decision, decision)
      assert.deepEqual(outcome.view?.session, after)
      assert.equal(outcome.view?.account?.accountId, account.accountId)
      assert.deepEqual(outcome.view?.application, application)
      assert.deepEqual(await stored(store, session.sessionId), after)
    })
  }
}

function sharedTurnCases(shared: () => TestStore): void {
  test('two parallel requests with one token: one advances, the other gets the same token', async () => {
    for (const other of [shared().store, await shared().another()]) {
      const { store } = shared()
      const { session } = await signedIn(store)
      await age(shared(), session.sessionId, 30)
      const outcomes = await Promise.all([
        store.refreshSession(refreshRequest(store, session, { kid: 'kid-a' })),
        other.refreshSession(refreshRequest(other, session, { kid: 'kid-b' })),
      ])
      assert.deepEqual(outcomes.map(({ decision }) => decision.kind).toSorted(), ['advance', 'repeat'])
      const [a, b] = outcomes.map(({ view }) => view?.session as Session)
      assert.equal(a?.generation, 2)
      for (const key of ['generation', 'rotatedAtMs', 'kid', 'attemptKey'] as const)
        assert.equal(a?.[key], b?.[key])
    }
  })

  test('requests for one session in one turn are decided one after the other', async () => {
    const { store } = shared()
    const { session } = await signedIn(store, { parallelWindowSeconds: 0 })
    const generations = [1, 1, 2, 1, 3, 1]
    const outcomes = await Promise.all(
      generations.map((generation) => store.refreshSession(refreshRequest(store, session, { generation }))),
    )
    assert.deepEqual(
      outcomes.map(({ decision, view }) => [decision.kind, view?.session.generation]),
      [
        ['advance', 2],
        ['repeat', 2],
        ['advance', 3],
        ['end', 3],
        ['deny', 3],
        ['deny', 3],
      ],
    )
    assert.equal((await stored(store, session.sessionId)).endReason, 'reuse')
  })

  test('many sessions in one turn each get their own decision', async () => {
    const { store } = shared()
    const sessions: Session[] = []
    for (let i = 0; i < 30; i++) sessions.push((await signedIn(store)).session)
    for (const [i, { sessionId }] of sessions.entries()) if (i % 3 !== 0) await age(shared(), sessionId, 30)
    const outcomes = await Promise.all(
      sessions.map((session, i) =>
        store.refreshSession(
          refreshRequest(store, session, { generation: i % 3 === 2 ? -5 : 1, kid: `kid-${i}` }),
        ),
      ),
    )
    for (const [i, { decision, view }] of outcomes.entries()) {
      const session = sessions[i] as Session
      assert.equal(decision.kind, ['keep', 'advance', 'end'][i % 3])
      assert.equal(view?.session.sessionId, session.sessionId)
      assert.equal(view?.session.kid, i % 3 === 1 ? `kid-${i}` : 'kid-0')
      assert.deepEqual(await stored(store, session.sessionId), view?.session)
    }
  })
}
