/** All signing keys, by purpose: the one that signs now, and those that still verify. */
import { HOUR_MS, LIMITS } from '../settings/limits.ts'
import { StoreBusy } from '../store/store-busy.ts'
import type { Clock, KeyPurpose, KeyStore, StoredKey } from '../store/store.ts'
import { namedKid } from './named-kid.ts'
import { randomId } from './random-id.ts'
import type { Sealer } from './seal.ts'
import {
  type Algorithm,
  type PublicJwk,
  type SigningKey,
  createSigningKey,
  generateKeyMaterial,
} from './signing-key.ts'

const ABOUT_TO_RETIRE_MS = HOUR_MS
/** How often tokens may have the keys reloaded: anybody can invent one that names an unknown key. */
const LEARN_EVERY_MS = 1_000

export class KeyRing {
  readonly #store: KeyStore
  readonly #clock: Clock
  readonly #sealer: Sealer
  readonly #algorithms: Readonly<Record<KeyPurpose, Algorithm>>
  #keys: readonly SigningKey[] = []
  #believed: Readonly<Record<KeyPurpose, readonly SigningKey[]>> = { access: [], refresh: [], device: [] }
  /** How many reloads have begun, and which of them was the last to take effect. */
  #reloads = 0
  #newest = 0
  /** The last reload that a token caused, and when it began. */
  #learning: Promise<void> = Promise.resolve()
  #learningSinceMs = Number.NEGATIVE_INFINITY

  private constructor(store: KeyStore, clock: Clock, sealer: Sealer, accessAlgorithm: Algorithm) {
    this.#store = store
    this.#clock = clock
    this.#sealer = sealer
    this.#algorithms = { access: accessAlgorithm, refresh: 'HS256', device: 'HS256' }
  }

  /**
   * Loads the existing keys and adds none. For commands: a command that only reads, in a shell with other settings,
   * must not add a key that the service then trusts.
   * @throws {SealError} when the keys were sealed with another master secret
   */
  static async read(
    store: KeyStore,
    clock: Clock,
    sealer: Sealer,
    accessAlgorithm: Algorithm,
  ): Promise<KeyRing> {
    const ring = new KeyRing(store, clock, sealer, accessAlgorithm)
    await ring.reload()
    return ring
  }

  /**
   * Loads the keys for the service, and adds one for each purpose that has no key without a retirement time.
   * @throws {SealError} as `read`
   */
  static async load(...from: Parameters<typeof KeyRing.read>): Promise<KeyRing> {
    const ring = await KeyRing.read(...from)
    await ring.#addMissing((purpose) => !ring.#ofPurpose(purpose).some((key) => key.retireAtMs === null))
    return ring
  }

  /**
   * Reloads the keys, and adds a key for each purpose whose last one is about to retire: an instance whose settings
   * name another algorithm may have set a retirement time for the keys that this instance signs with.
   */
  async keepUp(): Promise<void> {
    await this.reload()
    const soonMs = this.#clock.nowMs() + ABOUT_TO_RETIRE_MS
    const isLast = (key: SigningKey) => key.retireAtMs !== null && key.retireAtMs < soonMs
    await this.#addMissing((purpose) => this.#ofPurpose(purpose).every(isLast))
  }

  /**
   * Loads the changes that other instances and the command line have made to the keys. Afterwards the ring holds all keys
   * that were in the store before the call.
   */
  async reload(): Promise<void> {
    const number = ++this.#reloads
    const listed = await this.#store.listKeys()
    // The answer to a later question has come earlier: this one must not take back what that one has brought.
    if (number < this.#newest) return
    const known = new Map(this.#keys.map((key) => [key.kid, key]))
    this.#keys = listed.map((stored) => {
      const key = known.get(stored.kid)
      return key !== undefined && key.retireAtMs === stored.retireAtMs ? key : this.#open(stored)
    })
    const nowMs = this.#clock.nowMs()
    const believed = this.#keys.filter((key) => key.retireAtMs === null || key.retireAtMs > nowMs)
    const of = (purpose: KeyPurpose) => believed.filter((key) => key.purpose === purpose)
    this.#believed = { access: of('access'), refresh: of('refresh'), device: of('device') }
    this.#newest = number
  }

  /** The key that signs now: the youngest active one of the purpose and its algorithm. The service always has one. */
  signer(purpose: KeyPurpose): SigningKey {
    const key = this.findSigner(purpose)
    if (key === null) throw new Error(`there is no ${purpose} key to sign with`)
    return key
  }

  /**
   * The same as `signer`, but null if there is no key. A key with a retirement time signs only while no key without one
   * is active, that is, until a rotation takes effect. If no key is active, because the clock was set back to before
   * the keys were made, the next one to become active signs.
   */
  findSigner(purpose: KeyPurpose): SigningKey | null {
    const nowMs = this.#clock.nowMs()
    let best: SigningKey | null = null
    let next: SigningKey | null = null
    for (const key of this.#keys) {
      if (key.purpose !== purpose || key.algorithm !== this.#algorithms[purpose]) continue
      if (key.retireAtMs !== null && key.retireAtMs <= nowMs) continue
      if (key.activeAtMs > nowMs) {
        if (next === null || key.activeAtMs < next.activeAtMs) next = key
        continue
      }
      const stays = key.retireAtMs === null
      const bestStays = best?.retireAtMs === null
      if (best === null || (stays === bestStays ? key.activeAtMs >= best.activeAtMs : stays)) best = key
    }
    return best ?? next
  }

  /** The keys that verify tokens of a purpose. */
  verifiers(purpose: KeyPurpose): readonly SigningKey[] {
    return this.#believed[purpose]
  }

  /**
   * For a token that none of `verifiers` has signed: reloads the keys if it names one that this ring does not hold, and
   * tells whether the ring holds that one now. All calls of a second share one reload and its outcome.
   * @throws {StoreUnavailable} when the keys cannot be read, so that the token may yet be good
   */
  async learnKeyOf(token: string, purpose: KeyPurpose): Promise<boolean> {
    const kid = namedKid(token, purpose)
    if (kid === null || this.#holds(kid)) return false
    const nowMs = this.#clock.nowMs()
    if (nowMs - this.#learningSinceMs < LEARN_EVERY_MS) {
      // The failure has been logged already, for the call that began the reload.
      await this.#learning.catch(() => Promise.reject(new StoreBusy()))
    } else {
      this.#learningSinceMs = nowMs
      this.#learning = this.reload()
      await this.#learning
    }
    return this.#holds(kid)
  }

  /** The refresh key that a session's row names; if it is unknown, another instance may have added it. */
  async refreshKey(kid: string): Promise<SigningKey> {
    const find = () => this.#keys.find((key) => key.kid === kid && key.purpose === 'refresh')
    let key = find()
    if (key === undefined) {
      await this.reload()
      key = find()
    }
    if (key === undefined) throw new Error(`the store has no refresh key ${kid}, which a session of it names`)
    return key
  }

  /** All keys, oldest first. */
  all(): readonly SigningKey[] {
    return this.#keys
  }

  /** The public access keys as a JWK set (RFC 7517, section 5): future, present and past ones that still verify. */
  publicKeys(): { readonly keys: readonly PublicJwk[] } {
    const jwks = this.verifiers('access').map((key) => key.publicJwk())
    return { keys: jwks.filter((jwk) => jwk !== null) }
  }

  /** Makes a key in its stored, sealed form, which signs from `activeAtMs` on. Does not store it. */
  newKey(purpose: KeyPurpose, activeAtMs: number): StoredKey {
    const kid = randomId()
    const algorithm = this.#algorithms[purpose]
    const sealed = this.#sealer.seal(generateKeyMaterial(algorithm), context(kid, purpose, algorithm))
    return { kid, purpose, algorithm, sealed, createdAtMs: this.#clock.nowMs(), activeAtMs, retireAtMs: null }
  }

  /**
   * After a change of DUKTIG_ACCESS_TOKEN_ALG, lets the access keys of other algorithms retire once their last tokens
   * have expired: a secret that was handed out must not mint tokens for ever. Only for the start of the service: a
   * command that only reads, in a shell with other settings, must not retire keys.
   */
  async retireOtherAlgorithms(): Promise<void> {
    const algorithm = this.#algorithms.access
    const others = this.#keys.filter((k) => k.purpose === 'access' && k.algorithm !== algorithm)
    if (others.every((key) => key.retireAtMs !== null)) return
    const retireAtMs = this.#clock.nowMs() + LIMITS.accessTokenTtlSecondsMax * 1000
    await this.#store.retireOtherAlgorithms('access', algorithm, retireAtMs)
    await this.reload()
  }

  #holds(kid: string): boolean {
    return this.#keys.some((key) => key.kid === kid)
  }

  async #addMissing(isMissing: (purpose: KeyPurpose) => boolean): Promise<void> {
    const missing = (Object.keys(this.#algorithms) as KeyPurpose[]).filter(isMissing)
    for (const purpose of missing) {
      await this.#store.addFirstKey(this.newKey(purpose, this.#clock.nowMs()))
    }
    if (missing.length > 0) await this.reload()
  }

  /** The keys of a purpose and its algorithm, including those that are not active yet. */
  #ofPurpose(purpose: KeyPurpose): readonly SigningKey[] {
    return this.#keys.filter((key) => key.purpose === purpose && key.algorithm === this.#algorithms[purpose])
  }

  #open(stored: StoredKey): SigningKey {
    const { kid, purpose, activeAtMs, retireAtMs } = stored
    const algorithm = stored.algorithm as Algorithm
    const material = this.#sealer.open(stored.sealed, context(kid, purpose, algorithm))
    return createSigningKey({ kid, purpose, algorithm, activeAtMs, retireAtMs }, material)
  }
}

function context(kid: string, purpose: string, algorithm: string): string {
  return `${kid} ${purpose} ${algorithm}`
}
