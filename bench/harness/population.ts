/**
 * The accounts and sessions of a run. Everything about them derives from their number, so that tokens for any of them
 * can be made without asking the store. Session ids ascend with the number, for quick seeding; `scattered` gives an
 * order of use in which successive requests never touch neighbouring rows.
 */
import { hash } from 'node:crypto'
import { lastUseGrainMs } from '../../src/core/session.ts'

export const PASSWORD = 'Bench-mark-2026'
/** Each account has two devices: a phone and a browser. */
export const SESSIONS_PER_ACCOUNT = 2
/** The generation of the seeded refresh tokens. The next thousands have as many digits, so tokens keep their length. */
export const FIRST_GENERATION = 1001
/** Account ids of the same length make tokens of the same length. */
const FIRST_ACCOUNT = 100_000_001
/** The application of the seeded sessions. Its parallel window is 0: every refresh with rotation is a rotation. */
export const APPLICATION = 2

/** The alphabet of base64url in the order in which databases compare it. */
const ORDERED = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'
/** Characters of a session id that ascend with the number. Sixteen pseudo-random ones follow: 22, as in the product. */
const ORDERED_CHARACTERS = 6

export interface Population {
  readonly sessions: number
  /** When the seeded sessions were opened (yesterday) and end (in 29 days), in milliseconds. */
  readonly seededAtMs: number
  readonly expiresAtMs: number
}

export function populationOf(sessions: number, nowMs = Date.now()): Population {
  const daySeconds = 86_400
  const nowSeconds = Math.floor(nowMs / 1000)
  return {
    sessions,
    seededAtMs: (nowSeconds - daySeconds) * 1000,
    expiresAtMs: (nowSeconds + 29 * daySeconds) * 1000,
  }
}

export function sessionIdOf(population: Population, n: number): string {
  let rank = Math.floor((n / population.sessions) * 64 ** ORDERED_CHARACTERS)
  let prefix = ''
  for (let i = 0; i < ORDERED_CHARACTERS; i++) {
    prefix = ORDERED.charAt(rank % 64) + prefix
    rank = Math.floor(rank / 64)
  }
  return prefix + hash('sha256', `session ${n}`, 'base64url').slice(0, 16)
}

export function accountIdOf(n: number): number {
  return FIRST_ACCOUNT + Math.floor(n / SESSIONS_PER_ACCOUNT)
}

export function emailOf(accountId: number): string {
  return `person.${accountId}@example.com`
}

/** Clients refresh when their access token expires, after 15 minutes. */
const COME_BACK_MS = 900_000

/**
 * When a session was last used according to the store. As with clients that refresh all day, the times are spread
 * evenly over the grain of `last_used_at_ms`, so that one refresh in 25 writes a new one.
 */
export function lastUsedAtMs(population: Population, n: number): number {
  const seedingMs = population.seededAtMs + 86_400_000
  const part = (n * 0.618_033_988_749) % 1
  return Math.round(seedingMs - part * (lastUseGrainMs(0) + COME_BACK_MS))
}

/** The sessions of every second account rotate, so that both kinds of refresh are measured on the same store. */
export function rotates(n: number): boolean {
  return Math.floor(n / SESSIONS_PER_ACCOUNT) % 2 === 0
}

/** The `k`th session of one kind, in an order that jumps through the whole population. */
export function scattered(population: Population, rotating: boolean, k: number): number {
  const accounts = population.sessions / SESSIONS_PER_ACCOUNT / 2
  const kind = accounts * SESSIONS_PER_ACCOUNT
  // A stride coprime to the number of sessions visits each of them once; by the golden ratio, every stretch of requests
  // is evenly spread.
  const place = (k * stride(kind)) % kind
  const account = Math.floor(place / SESSIONS_PER_ACCOUNT) * 2 + (rotating ? 0 : 1)
  return account * SESSIONS_PER_ACCOUNT + (place % SESSIONS_PER_ACCOUNT)
}

export function sessionsOfOneKind(population: Population): number {
  return population.sessions / 2
}

function stride(size: number): number {
  let step = Math.floor(size * 0.618_033_988_75)
  while (commonDivisor(step, size) !== 1) step++
  return step
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}
