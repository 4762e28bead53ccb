/**
 * Rules that look as good as the real ones but are wrong. Random histories on the real store must find each of them;
 * otherwise they could miss a mistake in the real rules as well.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STATUS } from '../../src/core/account.ts'
import { deny } from '../../src/core/denial.ts'
import { decideRefresh } from '../../src/core/refresh.ts'
import type { SessionView } from '../../src/core/session.ts'
import type { Decide } from '../../src/store/store.ts'
import { mintRefreshToken } from '../../src/tokens/refresh-token.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { openSqliteEngine } from '../support/engines.ts'
import { freshSeed } from '../support/random.ts'
import { groundsOn } from './grounds.ts'
import { playHistories } from './history.ts'
import { EXACT } from './plan.ts'
import { type Transport, useCases } from './site.ts'

/** Far more than any mutation needs: the rarest shows once in some hundreds. */
const HISTORIES = 20_000

const strictSingleUse: Decide = (view, presented, nowMs) => {
  const decision = decideRefresh(view, presented, nowMs)
  if (decision.kind === 'deny' || !view.session.rotation) return decision
  const { generation, attemptKey } = presented
  if (generation < view.session.generation) return { kind: 'end' }
  return { kind: 'advance', generation: generation + 1, attemptKey, recovered: false }
}

const unboundedRetry: Decide = (view, presented, nowMs) => {
  const decision = decideRefresh(view, presented, nowMs)
  const { generation, repeats } = view.session
  const isPrevious = decision.kind === 'end' && presented.generation === generation - 1
  return isPrevious ? { kind: 'repeat', repeats } : decision
}

const noEnd: Decide = (view, presented, nowMs) => {
  const decision = decideRefresh(view, presented, nowMs)
  return decision.kind === 'end' ? { kind: 'deny', denial: deny('token-invalid') } : decision
}

const aheadUnchecked: Decide = (view, presented, nowMs) => {
  const isAhead = presented.generation > view.session.generation
  const { accountId } = isAhead ? view.session : presented
  return decideRefresh(view, { ...presented, accountId }, nowMs)
}

/** The real rule, applied to a changed view. */
function seeing(change: (view: SessionView) => SessionView): Decide {
  return (view, presented, nowMs) => decideRefresh(change(view), presented, nowMs)
}

const ROWS: readonly { sentence: string; decide?: Decide; transport?: typeof keepsSend; breaks: RegExp }[] = [
  { sentence: 'strict single use', decide: strictSingleUse, breaks: /L1/ },
  { sentence: 'no bound on case 5b', decide: unboundedRetry, breaks: /L2/ },
  {
    sentence: 'case 3 by rotated_at alone',
    decide: seeing((view) => withSession(view, { handedOutAtMs: view.session.rotatedAtMs })),
    breaks: /L1/,
  },
  { sentence: 'no case 3', decide: seeing((view) => withSession(view, { handedOutAtMs: 0 })), breaks: /L1/ },
  { sentence: 'a keep that sends the token again', transport: keepsSend, breaks: /L1/ },
  { sentence: 'no case 6', decide: noEnd, breaks: /L2|without a cause/ },
  { sentence: 'case 7 without the account check', decide: aheadUnchecked, breaks: /S4/ },
  {
    sentence: 'a later generation that advances at once, though recovery is a hand-out',
    decide: (view, presented, nowMs) => {
      const isAhead = presented.generation > view.session.generation
      return decideRefresh(isAhead ? withSession(view, { handedOutAtMs: 0 }) : view, presented, nowMs)
    },
    breaks: /L1/,
  },
  {
    sentence: 'the whole retry window for anybody though a key is remembered',
    decide: seeing((view) => withApplication(view, { parallelWindowSeconds: 60 })),
    breaks: /L2/,
  },
  {
    sentence: 'an end that nobody looks at',
    decide: seeing((view) => withSession(view, { endedAtMs: null })),
    breaks: /S2|a fault/,
  },
  {
    sentence: 'a disabled application that nobody looks at',
    decide: seeing((view) =>
      withApplication(view, { disabled: false, epoch: view.session.applicationEpoch }),
    ),
    breaks: /S2|not application-disabled/,
  },
  {
    sentence: 'an account that nobody looks at',
    decide: seeing((view) => {
      const { account } = view
      const session = { ...view.session, endedAtMs: null }
      return { ...view, session, account: account && { ...account, status: STATUS.active } }
    }),
    breaks: /S2|a fault/,
  },
  {
    sentence: 'an absolute end that nobody looks at',
    decide: seeing((view) => withSession(view, { expiresAtMs: Number.MAX_SAFE_INTEGER, createdAtMs: 1e15 })),
    // This rule also grants access tokens that end before they are granted.
    breaks: /S4|just granted is refused/,
  },
]

for (const { sentence, decide = decideRefresh, transport = useCases, breaks } of ROWS) {
  test(`random histories refute: ${sentence}`, async (t) => {
    const engine = await openSqliteEngine()
    const mutated = engine.deps.map((deps) => deciding(deps, decide)) as [Deps, Deps]
    const facts = { name: 'a mutation', timing: EXACT, lanes: 1 }
    const grounds = await groundsOn(engine, transport(mutated), facts)
    try {
      let histories = 1
      const walk = playHistories(grounds, freshSeed(), HISTORIES, (done) => {
        histories = done + 1
      })
      const error = await walk.then(
        () => null,
        (reason: unknown) => reason as Error,
      )
      assert.ok(error !== null, `not found in ${HISTORIES} histories`)
      const [broken = ''] = error.message.split('\n')
      t.diagnostic(`after ${histories} histories: ${broken}`)
      assert.match(broken, breaks)
    } finally {
      await grounds.close()
    }
  })
}

function withSession(view: SessionView, change: Partial<SessionView['session']>): SessionView {
  return { ...view, session: { ...view.session, ...change } }
}

function withApplication(view: SessionView, change: object): SessionView {
  return { ...view, application: view.application && { ...view.application, ...change } }
}

/** The same dependencies, with another rule in the real store. */
function deciding(deps: Deps, decide: Decide): Deps {
  const { store } = deps
  const refreshSession: typeof store.refreshSession = (request) =>
    store.refreshSession({ ...request, decide })
  return { ...deps, store: { ...store, refreshSession } }
}

function keepsSend(deps: readonly [Deps, Deps]): Transport {
  const real = useCases(deps)
  return {
    ...real,
    async refresh(instance, token, ...rest) {
      const reply = await real.refresh(instance, token, ...rest)
      if (reply.kind !== 'granted' || reply.refreshToken !== null) return reply
      const { keys, store, names } = deps[instance]
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
        sid: string
      }
      const view = await store.readSession(claims.sid)
      if (view === null) return reply
      const key = await keys.refreshKey(view.session.kid)
      return { ...reply, refreshToken: mintRefreshToken(key, names, view.session) }
    },
  }
}
