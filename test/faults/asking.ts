/** Requests to a service that may be killed: under load an answer may be missing, after a restart it must come. */
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

/** Asks again until the answer is not 503: a service that has just started may be overloaded at first. */
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

/** True for 200, false for the 503 of an overloaded service. @throws {Violation} on any other status */
export function isDone({ status, headers }: Answer, who: string): boolean {
  if (status !== 200 && status !== 503) throw new Violation(`${who} got ${status} ${JSON.stringify(headers)}`)
  return status === 200
}

/** The answer; null when the connection broke, which leaves open whether the request took effect. */
export async function answered<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request
  } catch {
    return null
  }
}
