/** A session that all instances refresh without pause while an event happens to it. */
import assert from 'node:assert/strict'
import type { Account } from '../../src/core/account.ts'
import type { Application } from '../../src/core/application.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { type Engine, startInstances } from '../support/engines.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { sendJson } from '../support/raw-http.ts'
import type { TestService } from '../support/service.ts'

export interface House {
  readonly engine: Engine
  readonly addresses: readonly [string, string]
  /** An access token of a super admin. */
  readonly admin: string
  readonly close: () => Promise<void>
}

export interface Scene {
  readonly deps: Deps
  readonly addresses: readonly [string, string]
  readonly admin: string
  readonly account: Account
  readonly application: Application
  readonly sessionId: string
  readonly accessToken: string
  readonly otherAccessToken: string
  /** The refresh token that all workers of the storm share. */
  storage: string
}

export interface Answer {
  readonly kind: 'refresh token' | 'access token'
  /** Whether the request was sent after the end had been acknowledged. */
  readonly late: boolean
  readonly status: number
  readonly reason: string | null
  /** The role in the answer: that of the caller, or that in the new access token. */
  readonly role: number | null
}

const WORKERS = 8
/** The number of requests of each kind that each worker starts after the end. */
const LATE = 2
/** The number of answers after which the event happens. */
const WARM = 24
/** Longer than the parallel window, so that the storm rotates the token. */
const REST_MS = 30_000

export async function openHouse(engine: Engine): Promise<House> {
  const services = await startInstances(engine)
  const [deps] = engine.deps
  const { application } = await makeApplication(deps)
  const admin = await openSession(deps, await makeAccount(deps, { roleId: 1 }), application)
  return {
    engine,
    addresses: services.map(({ address }) => address) as [string, string],
    admin: admin.accessToken,
    close: async () => {
      for (const service of new Set<TestService>(services)) await service.stop()
      await engine.close()
    },
  }
}

export async function openScene({ engine, addresses, admin }: House, rotation: boolean): Promise<Scene> {
  const [deps] = engine.deps
  const { application } = await makeApplication(deps, { rotation })
  const account = await makeAccount(deps)
  const other = await openSession(deps, account, application)
  const { session, accessToken, refreshToken } = await openSession(deps, account, application)
  const { sessionId } = session
  const otherAccessToken = other.accessToken
  const world = { deps, addresses, admin, account, application }
  return { ...world, sessionId, accessToken, otherAccessToken, storage: refreshToken }
}

/** Refreshes and uses the session on all instances, with `event` in the middle. Returns all answers. */
export async function storm(engine: Engine, scene: Scene, event: () => Promise<number>): Promise<Answer[]> {
  const answers: Answer[] = []
  const progress = { late: false, failed: false }
  const warm = Promise.withResolvers<void>()
  const worker = async (_: unknown, number: number) => {
    for (let tries = 0, late = 0; late < LATE * 2 && !progress.failed; tries++) {
      const isLate = progress.late
      const address = scene.addresses[(number + (tries >> 1)) % 2] as string
      answers.push(await (tries % 2 === 0 ? refresh(scene, address, isLate) : use(scene, address, isLate)))
      if (answers.length >= WARM) warm.resolve()
      if (isLate) late += 1
    }
  }
  const workers = Promise.all(Array.from({ length: WORKERS }, worker))
  workers.catch(warm.reject)
  try {
    await warm.promise
    await engine.pass(scene.sessionId, REST_MS)
    assert.equal(await event(), 200)
    progress.late = true
  } catch (error) {
    progress.failed = true
    throw error
  } finally {
    await workers
  }
  return answers
}

async function refresh(scene: Scene, address: string, late: boolean): Promise<Answer> {
  const headers = { 'Refresh-Token': scene.storage }
  const answer = await sendJson(address, 'POST', '/auth/refresh_token', headers)
  const { access_token: access, refresh_token: token } = answer.body
  if (typeof token === 'string') scene.storage = token
  const role = typeof access === 'string' ? roleOf(access) : null
  return { kind: 'refresh token', late, status: answer.status, reason: reasonOf(answer), role }
}

async function use(scene: Scene, address: string, late: boolean): Promise<Answer> {
  const answer = await sendJson(address, 'GET', '/auth/verify', { 'Access-Token': scene.accessToken })
  const { 'x-user-role': role } = answer.headers
  return {
    kind: 'access token',
    late,
    status: answer.status,
    reason: reasonOf(answer),
    role: role === undefined ? null : Number(role),
  }
}

function reasonOf({ headers }: Awaited<ReturnType<typeof sendJson>>): string | null {
  return (headers['x-session-end-reason'] as string | undefined) ?? null
}

function roleOf(accessToken: string): number {
  const claims = Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()
  return (JSON.parse(claims) as { account: { roleId: number } }).account.roleId
}
