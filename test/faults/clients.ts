/**
 * Clients that work on a service until it dies, and remember what it acknowledged: asked, answered, or unknown. Before and after a
 * restart `check` holds their memory against the store and the service.
 */
import { randomInt, randomUUID } from 'node:crypto'
import { claimsOf } from '../support/keys.ts'
import { sendJson } from '../support/raw-http.ts'
import { AUTH_KEY } from '../support/service.ts'
import { Violation, answered, freely, isDone, refresh, signIn, untilFree } from './asking.ts'
import { type Holder, PASSWORD } from './population.ts'
import type { Stored } from './stored.ts'

/** Of what was found before, so much is looked at again after each kill. */
const CHECKED_AGAIN = 5
/** Until the next kill: sessions that can be ended are not to run out. */
export const LEAVE_AT_A_TIME = 5

export interface Client {
  /** Asks again and again until the service does not answer any more. Throws on an answer that must not be. */
  work(address: string): Promise<void>
  /** What it was told must still be so: in `stored`, which was read before the service started again, and for the service. */
  check(address: string, stored: Stored): Promise<void>
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
    if (found === gen && this.#before !== null) await leadsTo(address, this.#before, this.#held.token)
    await this.once(address)
    if (this.#before !== null) await leadsTo(address, this.#before, this.#held.token)
  }

  /** One refresh, which must be answered. */
  async once(address: string): Promise<void> {
    this.#take(await surelyRefreshed(address, this.#held))
  }

  #take(successor: string): void {
    this.#before = this.#held
    this.#held = newAttempt(successor)
  }
}

async function leadsTo(address: string, attempt: Attempt, successor: string): Promise<void> {
  if ((await surelyRefreshed(address, attempt)) !== successor)
    throw new Violation('one token had two successors')
}

/** After a restart, when somebody must answer. */
function surelyRefreshed(address: string, attempt: Attempt): Promise<string> {
  return untilFree(async () => {
    const { isAnswered, successor } = await refreshed(address, attempt)
    if (!isAnswered) throw new Violation('no answer after the restart')
    return successor
  })
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
    for (let left = 0; left < LEAVE_AT_A_TIME; left++) {
      const holder = this.#holders.pop()
      if (holder === undefined) throw new Error('nobody is left who could sign out')
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
      const answer = await freely(() => refresh(address, refreshToken))
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
      const { status } = await freely(() => signIn(address, email, PASSWORD))
      // Registered accounts are not verified yet: 403 is told only after the right password.
      if (status !== 403) throw new Violation(`a registered account answered ${status}`)
    }
    const status = await this.#signInAndOut(address, this.#password)
    if (status === 200) return
    if (this.#maybe === null || (await this.#signInAndOut(address, this.#maybe)) !== 200) {
      throw new Violation(`an acknowledged password answered ${status}`)
    }
    this.#password = this.#maybe
  }

  /** Out again: of too many sessions the one that works would be ended. */
  async #signInAndOut(address: string, password: string): Promise<number> {
    const { status, body } = await freely(() => signIn(address, this.#holder.email, password))
    if (status === 200) {
      const headers = { 'Refresh-Token': body['refresh_token'] as string }
      await freely(() => sendJson(address, 'DELETE', '/auth/token', headers))
    }
    return status
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
      const { status } = await freely(() => refresh(address, token))
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
