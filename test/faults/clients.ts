/**
 * Clients that work on a service until it dies, and remember what it acknowledged: asked, answered, or unknown. After a
 * restart `check` holds their memory against the service.
 */
import { randomInt, randomUUID } from 'node:crypto'
import { AUTH_KEY } from '../support/service.ts'
import { sendJson } from '../support/raw-http.ts'
import { type Holder, PASSWORD } from './population.ts'

/** Registered accounts that were found before and are looked at again after each kill. */
const CHECKED_AGAIN = 5

export interface Client {
  /** Asks again and again until the service does not answer any more. Throws on an answer that must not be. */
  work(address: string): Promise<void>
  /** What it was told must still be so. */
  check(address: string): Promise<void>
}

export class Violation extends Error {
  override name = 'Violation'
}

/** Refreshes with an idempotency key, as our advice to clients is: never signed out, never two successors. */
export class RefreshingClient implements Client {
  readonly #successors = new Map<string, string>()
  #token: string
  #attemptKey = randomUUID()
  rotations = 0

  constructor(holder: Holder) {
    this.#token = holder.refreshToken
  }

  async work(address: string): Promise<void> {
    while (await this.#refresh(address)) {
      // Again, until nobody answers.
    }
  }

  async check(address: string): Promise<void> {
    if (!(await this.#refresh(address))) throw new Violation('no answer after the restart')
  }

  async #refresh(address: string): Promise<boolean> {
    const token = this.#token
    const headers = { 'Refresh-Token': token, 'Idempotency-Key': this.#attemptKey }
    const answer = await answered(sendJson(address, 'POST', '/auth/refresh_token', headers))
    if (answer === null || answer.status === 503) return answer !== null
    if (answer.status !== 200)
      throw new Violation(`an honest client got ${answer.status} ${JSON.stringify(answer.headers)}`)
    const successor = answer.body['refresh_token'] as string | undefined
    if (successor === undefined) return true
    const before = this.#successors.get(token)
    if (before !== undefined && before !== successor) throw new Violation('one token had two successors')
    this.#successors.set(token, successor)
    this.#token = successor
    this.#attemptKey = randomUUID()
    this.rotations++
    return true
  }
}

/** Signs out; an acknowledged end stays. */
export class LeavingClient implements Client {
  readonly #holders: Holder[]
  readonly #ended: Holder[] = []

  constructor(holders: readonly Holder[]) {
    this.#holders = [...holders]
  }

  async work(address: string): Promise<void> {
    for (;;) {
      const holder = this.#holders.pop()
      if (holder === undefined) return
      const answer = await answered(
        sendJson(address, 'DELETE', '/auth/token', { 'Refresh-Token': holder.refreshToken }),
      )
      if (answer === null) return
      if (answer.status === 200) this.#ended.push(holder)
    }
  }

  async check(address: string): Promise<void> {
    for (const holder of this.#ended) {
      const answer = await sendJson(address, 'POST', '/auth/refresh_token', {
        'Refresh-Token': holder.refreshToken,
      })
      if (answer.status !== 401) throw new Violation(`an ended session answered ${answer.status}`)
    }
  }
}

/** Registers accounts and changes passwords; both stay once they are acknowledged. */
export class AccountClient implements Client {
  readonly #holder: Holder
  readonly #registered: string[] = []
  #checked = 0
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
      const registration = await answered(
        sendJson(address, 'POST', '/user', { 'X-Auth-Key': AUTH_KEY }, body),
      )
      if (registration === null) return
      if (registration.status === 200) this.#registered.push(email)
      this.#maybe = `${randomUUID()}-new`
      const headers = { 'Access-Token': this.#holder.accessToken }
      const change = await answered(sendJson(address, 'PATCH', '/user', headers, { password: this.#maybe }))
      if (change === null) return
      if (change.status === 200) {
        this.#password = this.#maybe
        this.#maybe = null
      }
    }
  }

  async check(address: string): Promise<void> {
    for (const email of this.#toCheck()) {
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

  /** All that are new, and some of those before: each takes the time of a hash, and a long run registers thousands. */
  #toCheck(): readonly string[] {
    const again = Array.from({ length: Math.min(this.#checked, CHECKED_AGAIN) }, () =>
      randomInt(this.#checked),
    )
    const fresh = this.#registered.slice(this.#checked)
    this.#checked = this.#registered.length
    return [...again.map((at) => this.#registered[at] as string), ...fresh]
  }
}

function signIn(address: string, email: string, password: string) {
  return sendJson(address, 'POST', '/auth/token', { 'X-Auth-Key': AUTH_KEY }, { email, password })
}

/** Null when the connection broke: then nobody knows whether it happened. */
async function answered<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request
  } catch {
    return null
  }
}
