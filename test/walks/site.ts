/**
 * One session on real stores, as the people of a walk reach it: through the use cases or over HTTP, on two instances.
 */
import assert from 'node:assert/strict'
import { isDenial } from '../../src/core/denial.ts'
import type { Account } from '../../src/core/account.ts'
import type { Application } from '../../src/core/application.ts'
import { mintRefreshToken } from '../../src/tokens/refresh-token.ts'
import { authenticate } from '../../src/usecases/authenticate.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { identifyApplication } from '../../src/usecases/identify-application.ts'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import { signOutWithRefreshToken } from '../../src/usecases/sign-out.ts'
import type { Engine } from '../support/engines.ts'
import { claimsOf, segment } from '../support/keys.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { HERE } from '../support/people.ts'

/** A refresh token, with what tells it apart from others. */
export interface Token {
  readonly text: string
  readonly generation: number
  /** Everything that its bytes say, with times converted as if the row had never been aged. */
  readonly identity: string
}

export type Reply =
  | { readonly kind: 'granted'; readonly accessToken: string; readonly refreshToken: string | null }
  | { readonly kind: 'refused'; readonly reason: string }
  /** Neither a grant nor a refusal, such as a 5xx. */
  | { readonly kind: 'fault'; readonly message: string }

/** Whose application key the request carries. */
export type Caller = 'nobody' | 'own' | 'foreign'

export interface Transport {
  refresh(instance: 0 | 1, token: string, attemptKey: string | null, key: string | null): Promise<Reply>
  /** Whether an access token opens the API. */
  verify(instance: 0 | 1, accessToken: string): Promise<boolean>
  /** Whether the end was acknowledged. */
  signOut(instance: 0 | 1, token: string): Promise<boolean>
}

export interface Policy {
  readonly rotation: boolean
  readonly parallelMs: number
  readonly retryMs: number
  readonly idleMs: number
  readonly ttlMs: number
}

/** The columns that a walk looks at. */
export interface Row {
  readonly generation: number
  readonly endedAtMs: number | null
  readonly endReason: string | null
  /** Everything that must never change while the session lives. */
  readonly grant: string
}

export type Restore = (recovered: boolean) => Promise<void>

export interface Site {
  readonly engine: Engine
  readonly account: Account
  readonly application: Application
  readonly sessionId: string
  readonly first: { readonly token: Token; readonly accessToken: string }
  /** Another session of the same account, which only an end of all sessions of the account or application may touch. */
  readonly sibling: { readonly sessionId: string; readonly refreshToken: string }
  /** Genuine tokens with this session's id but of another account, one of the first generation and one far ahead. */
  readonly strangersTokens: readonly string[]
  /** Time as this session sees it. */
  nowMs(): number
  pass(ms: number): Promise<void>
  tokenOf(text: string): Token
  row(): Promise<Row>
  refresh(instance: 0 | 1, token: string, attemptKey: string | null, caller: Caller): Promise<Reply>
  verify: Transport['verify']
  signOut: Transport['signOut']
  /**
   * Copies the row. The result puts the row back, as a fail-over does, or with `recovered` as a restore and its
   * recovery do.
   */
  backup(): Promise<Restore>
}

export async function openSite(
  engine: Engine,
  transport: Transport,
  foreignKey: string,
  policy: Policy,
): Promise<Site> {
  const [deps] = engine.deps
  const { application, key } = await makeApplication(deps, {
    rotation: policy.rotation,
    parallelWindowSeconds: policy.parallelMs / 1000,
    retryWindowSeconds: policy.retryMs / 1000,
    idleSeconds: policy.idleMs / 1000,
    sessionTtlSeconds: policy.ttlMs / 1000,
  })
  const account = await makeAccount(deps)
  const sibling = await openSession(deps, account, application)
  const opened = await openSession(deps, account, application)
  const { sessionId } = opened.session
  const stranger = { ...opened.session, accountId: account.accountId + 1 }
  const time = timeOf(engine, sessionId)
  const keyOf: Record<Caller, string | null> = { nobody: null, own: key, foreign: foreignKey }
  return {
    engine,
    account,
    application,
    sessionId,
    first: { token: time.tokenOf(opened.refreshToken), accessToken: opened.accessToken },
    sibling: { sessionId: sibling.session.sessionId, refreshToken: sibling.refreshToken },
    strangersTokens: [1, 1000].map((generation) =>
      mintRefreshToken(deps.keys.signer('refresh'), deps.names, { ...stranger, generation }),
    ),
    ...time,
    row: () => readRow(engine, sessionId, time.passedMs()),
    refresh: (instance, token, attemptKey, caller) =>
      transport.refresh(instance, token, attemptKey, keyOf[caller]),
    verify: transport.verify,
    signOut: transport.signOut,
    backup: () => backup(engine, sessionId, time.passedMs),
  }
}

/**
 * The clock of a test shows just the time that is set. The database's clock runs by itself, so rows are aged to let
 * more time pass.
 */
function timeOf(engine: Engine, sessionId: string) {
  const { clock } = engine
  const startMs = performance.now()
  let agedMs = 0
  const passedMs = () => agedMs
  return {
    passedMs,
    nowMs: () => clock?.nowMs ?? performance.now() - startMs + agedMs,
    async pass(ms: number) {
      const passed = await engine.pass(sessionId, ms)
      if (clock === null) agedMs += passed
    },
    tokenOf(text: string): Token {
      const claims = claimsOf(text)
      const times = ['iat', 'nbf', 'exp'].map((name) => (claims[name] as number) + agedMs / 1000)
      const rest = ['iss', 'aud', 'sub', 'jti', 'sid', 'gen'].map((name) => claims[name])
      const identity = [segment(text, 0), ...times, ...rest].join(' ')
      return { text, generation: claims['gen'] as number, identity }
    },
  }
}

const GRANT = [
  'account_id',
  'application_id',
  'application_epoch',
  'rotation',
  'created_at_ms',
  'expires_at_ms',
]

async function readRow(engine: Engine, sessionId: string, passedMs: number): Promise<Row> {
  const [row] = await engine.sql(
    `select generation, ended_at_ms, end_reason, ${GRANT.join(', ')} from sessions where session_id = ?`,
    sessionId,
  )
  assert.ok(row !== undefined, 'the row is there')
  const [generation, endedAtMs, endReason, ...rest] = row
  const grant = rest.map((value, i) => (GRANT[i]?.endsWith('_ms') ? Number(value) + passedMs : value))
  return {
    generation: Number(generation),
    endedAtMs: endedAtMs === null ? null : Number(endedAtMs),
    endReason: endReason as string | null,
    grant: grant.join(' '),
  }
}

const MOVING = ['generation', 'kid', 'attempt_key', 'repeats', 'ended_at_ms', 'end_reason']
const RECOVERED_TIMES = ['handed_out_at_ms', 'last_used_at_ms']
const MOVING_TIMES = ['rotated_at_ms', ...RECOVERED_TIMES]

async function backup(engine: Engine, sessionId: string, passedMs: () => number): Promise<Restore> {
  const columns = [...MOVING, ...MOVING_TIMES]
  const [row] = await engine.sql(`select ${columns.join(', ')} from sessions where session_id = ?`, sessionId)
  const takenMs = passedMs()
  const nowMs = () => engine.deps[0].store.clock.nowMs()
  return async (recovered) => {
    const values = columns.map((column, i) => {
      // Recovery counts as a hand-out and a use.
      if (recovered && RECOVERED_TIMES.includes(column)) return nowMs()
      const value = row?.[i] as string | number | null
      return MOVING_TIMES.includes(column) ? Number(value) - (passedMs() - takenMs) : value
    })
    const set = columns.map((column) => `${column} = ?`)
    await engine.sql(`update sessions set ${set.join(', ')} where session_id = ?`, ...values, sessionId)
  }
}

/** The use cases themselves, on both instances. */
export function useCases(deps: readonly [Deps, Deps]): Transport {
  const address = '192.0.2.1'
  return {
    async refresh(instance, refreshToken, attemptKey, key) {
      try {
        const application =
          key === null ? null : await identifyApplication(deps[instance], key, { address: '192.0.2.1' })
        if (application !== null && isDenial(application))
          return { kind: 'refused', reason: application.denied }
        const reply = await refreshSession(deps[instance], { refreshToken, attemptKey, application, address })
        return isDenial(reply)
          ? { kind: 'refused', reason: reply.reason ?? reply.denied }
          : { kind: 'granted', ...reply }
      } catch (error) {
        return { kind: 'fault', message: String(error) }
      }
    },
    async verify(instance, accessToken) {
      return !isDenial(await authenticate(deps[instance], accessToken, HERE))
    },
    async signOut(instance, token) {
      return (await signOutWithRefreshToken(deps[instance], token, address)) === null
    },
  }
}
