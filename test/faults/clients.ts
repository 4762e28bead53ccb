/**
 * Clients that work on a service until it dies, and remember what it acknowledged: asked, answered, or unknown. Before and after a
 * restart `check` holds their memory against the store and the service.
 */
import { randomInt, randomUUID } from 'node:crypto'
import { AUTH_KEY } from '../support/service.ts'
import { sendJson } from '../support/raw-http.ts'
import { claimsOf } from '../support/keys.ts'
import { type Holder, PASSWORD } from './population.ts'
import type { Stored } from './stored.ts'

type Answer = Awaited<ReturnType<typeof sendJson>>

/** Of what was found before, so much is looked at again after each kill. */
const CHECKED_AGAIN = 5

export interface Client {
  /** Asks again and again until the service does not answer any more. Throws on an answer that must not be. */
  work(address: string): Promise<void>
  /** What it was told must still be so: in `stored`, which was read before the service started again, and for the service. */
  check(address: string, stored: Stored): Promise<void>
}

export class Violation extends Error {
  override name = 'Violation'
}

/** What one kind of request was acknowledged. */
class Acknowledged {
  count = 0
  #waiting: (() => void)[] = []

  add(): void {
    this.count++
    for (const go of this.#waiting) go()
    this.#waiting = []
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** A token with the key of the attempt to replace it. */
interface Attempt {
  readonly token: string
  readonly key: string
}

/** Refreshes with an idempotency key, as our advice to clients is: never signed out, never two successors. */
export class RefreshingClient implements Client {
  readonly rotated = new Acknowledged()
  #held: Attempt
  /** What the held token was the answer to. */
  #before: Attempt | null = null

  constructor(holder: Holder) {
    this.#held = newAttempt(holder.refreshToken)
  }

  async work(address: string): Promise<void> {
    for (;;) {
      const { isAnswered, successor } = await refreshed(address, this.#held)
      if (!isAnswered) return
      if (successor === null) continue
      this.#take(successor)
      this.rotated.add()
    }
  }

  async check(address: string, { generations }: Stored): Promise<void> {
    const { sid, gen } = claimsOf(this.#held.token) as { sid: string; gen: number }
    const found = generations.get(sid) ?? 0
    // The service would take the newer token all the same, as one of before a restored backup.
    if (found < gen) throw new Violation(`generation ${gen} was acknowledged, and ${found} is stored`)
    if (found > gen + 1) throw new Violation(`generation ${found} is stored, and ${gen + 1} was asked for`)
    if (found === gen && this.#before !== null) await this.#leadsTo(address, this.#before, this.#held.token)
    const attempt = this.#held
    const { successor } = await refreshed(address, attempt)
    if (successor === null) throw new Violation('no answer after the restart')
    await this.#leadsTo(address, attempt, successor)
    this.#take(successor)
  }

  async #leadsTo(address: string, attempt: Attempt, successor: string): Promise<void> {
    const again = await refreshed(address, attempt)
    if (again.successor !== successor) throw new Violation('one token had two successors')
  }

  #take(successor: string): void {
    this.#before = this.#held
    this.#held = newAttempt(successor)
  }
}

function newAttempt(token: string): Attempt {
  return { token, key: randomUUID() }
}

interface Refreshed {
  readonly isAnswered: boolean
  readonly successor: string | null
}

/** The next token, of sessions that rotate at every refresh; none when the service had too much to do. */
async function refreshed(address: string, { token, key }: Attempt): Promise<Refreshed> {
  const headers = { 'Refresh-Token': token, 'Idempotency-Key': key }
  const answer = await answered(sendJson(address, 'POST', '/auth/refresh_token', headers))
  if (answer === null) return { isAnswered: false, successor: null }
  if (!isDone(answer, 'an honest client')) return { isAnswered: true, successor: null }
  const successor = answer.body['refresh_token']
  if (typeof successor !== 'string') throw new Violation('a refresh that should rotate did not')
  return { isAnswered: true, successor }
}

/** Signs out; an acknowledged end stays. */
export class LeavingClient implements Client {
  readonly left = new Acknowledged()
  readonly #holders: Holder[]
  readonly #ended = new Remembered<Holder>()

  constructor(holders: readonly Holder[]) {
    this.#holders = [...holders]
  }

  async work(address: string): Promise<void> {
    for (;;) {
      const holder = this.#holders.pop()
      if (holder === undefined) return
      const headers = { 'Refresh-Token': holder.refreshToken }
      const answer = await answered(sendJson(address, 'DELETE', '/auth/token', headers))
      if (answer === null) return
      if (!isDone(answer, 'who signed out')) continue
      this.#ended.add(holder)
      this.left.add()
    }
  }

  async check(address: string, { journal }: Stored): Promise<void> {
    for (const { refreshToken } of this.#ended.toCheck()) {
      const { sid } = claimsOf(refreshToken)
      if (!journal.includes(`"${String(sid)}"`)) throw new Violation('an end stands in no journal')
      const answer = await sendJson(address, 'POST', '/auth/refresh_token', { 'Refresh-Token': refreshToken })
      if (answer.status !== 401) throw new Violation(`an ended session answered ${answer.status}`)
    }
  }
}

/** Registers accounts and changes passwords; both stay once they are acknowledged. */
export class AccountClient implements Client {
  readonly registered = new Acknowledged()
  readonly changed = new Acknowledged()
  readonly #holder: Holder
  readonly #emails = new Remembered<string>()
  /** The last acknowledged password, and one whose change was asked for without an answer. */
  #password = PASSWORD
  #maybe: string | null = null

  constructor(holder: Holder) {
    this.#holder = holder
  }

  async work(address: string): Promise<void> {
    for (;;) {
      const email = `${randomUUID()}@example.com`
      const body = { firstName: 'New', lastName: 'One', email, password: PASSWORD, phone: '000000' }
      const key = { 'X-Auth-Key': AUTH_KEY }
      const registration = await answered(sendJson(address, 'POST', '/user', key, body))
      if (registration === null) return
      if (isDone(registration, 'who registered')) {
        this.#emails.add(email)
        this.registered.add()
      }
      this.#maybe = `${randomUUID()}-new`
      const headers = { 'Access-Token': this.#holder.accessToken }
      const change = await answered(sendJson(address, 'PATCH', '/user', headers, { password: this.#maybe }))
      if (change === null) return
      if (!isDone(change, 'who changed his password')) continue
      this.#password = this.#maybe
      this.#maybe = null
      this.changed.add()
    }
  }

  async check(address: string): Promise<void> {
    // Each takes the time of a hash, and a long run registers thousands.
    for (const email of this.#emails.toCheck()) {
      const { status } = await signIn(address, email, PASSWORD)
      // Registered accounts are not verified yet: 403 is told only after the right password.
      if (status !== 403) throw new Violation(`a registered account answered ${status}`)
    }
    const { status } = await signIn(address, this.#holder.email, this.#password)
    if (status === 200) return
    if (this.#maybe === null || (await signIn(address, this.#holder.email, this.#maybe)).status !== 200) {
      throw new Violation(`an acknowledged password answered ${status}`)
    }
    this.#password = this.#maybe
  }
}

/** Signs in; the session is there once it is acknowledged. */
export class SigningInClient implements Client {
  readonly signedIn = new Acknowledged()
  readonly #holder: Holder
  readonly #tokens = new Remembered<string>()

  constructor(holder: Holder) {
    this.#holder = holder
  }

  async work(address: string): Promise<void> {
    for (;;) {
      const answer = await answered(signIn(address, this.#holder.email, PASSWORD))
      if (answer === null) return
      if (!isDone(answer, 'who signed in')) continue
      this.#tokens.add(answer.body['refresh_token'] as string)
      this.signedIn.add()
    }
  }

  async check(address: string): Promise<void> {
    // Those of before have been replaced, or ended for the limit of sessions of an account.
    for (const token of this.#tokens.fresh()) {
      const { status } = await sendJson(address, 'POST', '/auth/refresh_token', { 'Refresh-Token': token })
      if (status !== 200) throw new Violation(`a session that was acknowledged answered ${status}`)
    }
  }
}

/** What was acknowledged, in its order. */
class Remembered<T> {
  readonly #all: T[] = []
  #checked = 0

  add(one: T): void {
    this.#all.push(one)
  }

  /** All since the last time. */
  fresh(): readonly T[] {
    const fresh = this.#all.slice(this.#checked)
    this.#checked = this.#all.length
    return fresh
  }

  /** All since the last time, and some of those before. */
  toCheck(): readonly T[] {
    const before = this.#checked
    const again = Array.from({ length: Math.min(before, CHECKED_AGAIN) }, () => randomInt(before))
    return [...again.map((at) => this.#all[at] as T), ...this.fresh()]
  }
}

function signIn(address: string, email: string, password: string) {
  return sendJson(address, 'POST', '/auth/token', { 'X-Auth-Key': AUTH_KEY }, { email, password })
}

/** Whether it happened, or the service had too much to do. @throws {Violation} on anything else */
function isDone({ status, headers }: Answer, who: string): boolean {
  if (status !== 200 && status !== 503) throw new Violation(`${who} got ${status} ${JSON.stringify(headers)}`)
  return status === 200
}

/** Null when the connection broke: then nobody knows whether it happened. */
async function answered<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request
  } catch {
    return null
  }
}
