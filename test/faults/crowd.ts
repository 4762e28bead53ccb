/** All kinds of clients at once, and how much was acknowledged to them. */
import {
  AccountClient,
  type Client,
  LEAVE_AT_A_TIME,
  LeavingClient,
  RefreshingClient,
  SigningInClient,
} from './clients.ts'
import type { Holder } from './population.ts'
import type { Stored } from './stored.ts'

/** Clients that still work after this time have not noticed that the service died, which is a fault as well. */
const OVER_WITHIN_MS = 60_000

/** How many holders a crowd with `refreshing` refreshing clients needs to work `times` times. */
export function holdersFor(refreshing: number, times: number): number {
  return refreshing + 2 + LEAVE_AT_A_TIME * times
}

export class Crowd {
  readonly #refreshing: readonly RefreshingClient[]
  readonly #account: AccountClient
  readonly #signingIn: SigningInClient
  readonly #leaving: LeavingClient

  constructor(holders: readonly Holder[], refreshing: number) {
    const [one, other, ...others] = holders as readonly [Holder, Holder, ...Holder[]]
    this.#account = new AccountClient(one)
    this.#signingIn = new SigningInClient(other)
    this.#refreshing = others.slice(0, refreshing).map((holder) => new RefreshingClient(holder))
    this.#leaving = new LeavingClient(others.slice(refreshing))
  }

  async check(address: string, stored: Stored): Promise<void> {
    const clients: Client[] = [...this.#refreshing, this.#account, this.#signingIn, this.#leaving]
    for (const client of clients) await client.check(address, stored)
  }

  /**
   * Lets all clients work until `end` stops the service. With `hashes`, `end` is called only after a password change
   * and a sign-in have been acknowledged.
   */
  async work(address: string, end: () => Promise<void>, { hashes }: { hashes: boolean }): Promise<void> {
    const hashed = Promise.all([this.#account.changed.next(), this.#signingIn.signedIn.next()])
    const hashing = [this.#account.work(address), this.#signingIn.work(address)]
    const others = [...this.#refreshing, this.#leaving].map((client) => client.work(address))
    const ending = (hashes ? Promise.race([hashed, ...hashing]) : Promise.resolve()).then(end)
    await within(OVER_WITHIN_MS, Promise.all([ending, ...hashing, ...others]))
  }

  acknowledged(): Readonly<Record<string, number>> {
    return {
      rotations: this.#refreshing.reduce((sum, { rotated }) => sum + rotated.count, 0),
      ends: this.#leaving.left.count,
      registrations: this.#account.registered.count,
      'password changes': this.#account.changed.count,
      'sign-ins': this.#signingIn.signedIn.count,
    }
  }
}

/** The counts as text, for the report of a test. */
export function told(acknowledged: Readonly<Record<string, number>>): string {
  return Object.entries(acknowledged)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`clients still work after ${ms} ms`)), ms)
  })
  try {
    await Promise.race([work, tooLong])
  } finally {
    clearTimeout(timer)
  }
}
