/**
 * Clients that use a service until it dies, and remember what it acknowledged and what it left unanswered. After the
 * restart, `check` compares this with the store, as it was before the restart, and with the service.
 */
import { randomInt, randomUUID } from 'node:crypto'
import { claimsOf } from '../support/keys.ts'
import { sendJson } from '../support/raw-http.ts'
import { AUTH_KEY } from '../support/service.ts'
import { Violation, answered, freely, isDone, refresh, signIn, untilFree } from './asking.ts'
import { type Holder, PASSWORD } from './population.ts'
import type { Stored } from './stored.ts'

/** How many of the items that earlier checks have covered are checked again after each kill. */
const CHECKED_AGAIN = 5
/** The most sign-outs before each kill, so that there are sessions left to end for the whole run. */
export const LEAVE_AT_A_TIME = 5

export interface Client {
  /** Sends requests until the service no longer answers. Throws on an answer that must not occur. */
  work(address: string): Promise<void>
  /**
   * Checks that everything acknowledged still holds: in `stored`, which was read before the restart, and at the
   * service.
   */
  check(address: string, stored: Stored): Promise<void>
}

/** Counts the acknowledged requests of one kind. */
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

/** A refresh token, with the attempt key that its refresh carries. */
interface Attempt {
  readonly token: string
  readonly key: string
}

/** Refreshes with an idempotency key, as clients are advised to: never signed out, never given two successors. */
export class RefreshingClient implements Client {
  readonly rotated = new Acknowledged()
  #held: Attempt
  /** The attempt that was answered with the held token. */
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
    // The service's answer would not show the loss: it accepts a later generation than its row's, as after a restore.
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

/** The successor, after a restart, when an answer must come. @throws {Violation} if none comes */
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

/** The next token of a session that rotates at every refresh; null if the service did not answer or was overloaded. */
async function refreshed(address: string, { token, key }: Attempt): Promise<Refreshed> {
  const headers = { 'Refresh-Token': token, 'Idempotency-Key': key }
  const answer = await answered(sendJson(address, 'POST', '/auth/refresh_token', headers))
  if (answer === null) return { isAnswered: false, successor: null }
  if (!isDone(answer, 'an honest client')) return { isAnswered: true, successor: null }
  const successor = answer.body['refresh_token']
  if (typeof successor !== 'string') throw new Violation('a refresh that should rotate did not')
  return { isAnswered: true, successor }
}

/** Signs out; an acknowledged sign-out must last. */
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

/** Registers accounts and changes passwords; both must last once they are acknowledged. */
export class AccountClient implements Client {
  readonly registered = new Acknowledged()
  readonly changed = new Acknowledged()
  readonly #holder: Holder
  readonly #emails = new Remembered<string>()
  /** The last acknowledged password, and the new one of a change that has not been acknowledged. */
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
    // Earlier accounts are only sampled: each sign-in costs a password hash, and a long run registers thousands.
    for (const email of this.#emails.toCheck()) {
      const { status } = await freely(() => signIn(address, email, PASSWORD))
      // Registered accounts are not verified yet, and 403 is only told after the right password.
      if (status !== 403) throw new Violation(`a registered account answered ${status}`)
    }
    const status = await this.#signInAndOut(address, this.#password)
    if (status === 200) return
    if (this.#maybe === null || (await this.#signInAndOut(address, this.#maybe)) !== 200) {
      throw new Violation(`an acknowledged password answered ${status}`)
    }
    this.#password = this.#maybe
  }

  /** Signs out again: with too many sessions, the service would end the one that this client works with. */
  async #signInAndOut(address: string, password: string): Promise<number> {
    const { status, body } = await freely(() => signIn(address, this.#holder.email, password))
    if (status === 200) {
      const headers = { 'Refresh-Token': body['refresh_token'] as string }
      await freely(() => sendJson(address, 'DELETE', '/auth/token', headers))
    }
    return status
  }
}

/** Signs in; the session must exist once the sign-in is acknowledged. */
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
    // Earlier tokens have been replaced since, or their sessions ended by the limit on the sessions of an account.
    for (const token of this.#tokens.fresh()) {
      const { status } = await freely(() => refresh(address, token))
      if (status !== 200) throw new Violation(`a session that was acknowledged answered ${status}`)
    }
  }
}

/** Acknowledged items, in order. */
class Remembered<T> {
  readonly #all: T[] = []
  #checked = 0

  add(one: T): void {
    this.#all.push(one)
  }

  /** The items added since the last check. */
  fresh(): readonly T[] {
    const fresh = this.#all.slice(this.#checked)
    this.#checked = this.#all.length
    return fresh
  }

  /** The items added since the last check, and a random sample of the earlier ones. */
  toCheck(): readonly T[] {
    const before = this.#checked
    const again = Array.from({ length: Math.min(before, CHECKED_AGAIN) }, () => randomInt(before))
    return [...again.map((at) => this.#all[at] as T), ...this.fresh()]
  }
}
