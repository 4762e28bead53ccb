/** How clients of a service that may die ask it: under load, where nobody may answer, and after a restart, where somebody must. */
import { sendJson } from '../support/raw-http.ts'
import { AUTH_KEY } from '../support/service.ts'

type Answer = Awaited<ReturnType<typeof sendJson>>

const FREE_WITHIN_MS = 30_000

export class Violation extends Error {
  override name = 'Violation'
}

export function refresh(address: string, token: string): Promise<Answer> {
  return sendJson(address, 'POST', '/auth/refresh_token', { 'Refresh-Token': token })
}

/** The answer of a service that has just started and may have too much to do at first. */
export function freely(ask: () => Promise<Answer>): Promise<Answer> {
  return untilFree(async () => {
    const answer = await ask()
    return answer.status === 503 ? null : answer
  })
}

export async function untilFree<T>(ask: () => Promise<T | null>): Promise<T> {
  const endMs = performance.now() + FREE_WITHIN_MS
  while (performance.now() < endMs) {
    const answer = await ask()
    if (answer !== null) return answer
  }
  throw new Error('the service has too much to do long after its start')
}

export function signIn(address: string, email: string, password: string) {
  return sendJson(address, 'POST', '/auth/token', { 'X-Auth-Key': AUTH_KEY }, { email, password })
}

/** Whether it happened, or the service had too much to do. @throws {Violation} on anything else */
export function isDone({ status, headers }: Answer, who: string): boolean {
  if (status !== 200 && status !== 503) throw new Violation(`${who} got ${status} ${JSON.stringify(headers)}`)
  return status === 200
}

/** Null when the connection broke: then nobody knows whether it happened. */
export async function answered<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request
  } catch {
    return null
  }
}
