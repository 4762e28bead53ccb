/**
 * The accounts and sessions of a run: all a function of their number, so that tokens for any of them can be made
 * without asking the store. Session ids ascend with the number, for quick seeding; `scattered` says in which order
 * to use them so that neighbouring requests never touch neighbouring rows.
 */
import { hash } from 'node:crypto'
import { lastUseGrainMs } from '../../src/core/session.ts'

export const PASSWORD = 'Bench-mark-2026'
/** Two devices each: a phone and a browser. */
export const SESSIONS_PER_ACCOUNT = 2
/** Of the seeded refresh tokens; the next thousands have as many digits, and so do their tokens. */
export const FIRST_GENERATION = 1001
/** Account ids of one length make tokens of one length. */
const FIRST_ACCOUNT = 100_000_001
/** The application of the seeded sessions. Its parallel window is 0: every refresh with rotation is a rotation. */
export const APPLICATION = 2

/** The alphabet of base64url in the order in which databases compare it. */
const ORDERED = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'
/** Six characters in order, sixteen at random: 22 as in the product. */
const ORDERED_CHARACTERS = 6

export interface Population {
  readonly sessions: number
  /** All times of the seeded rows, milliseconds: sign-in yesterday, the end in a month. */
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

/** Clients come back when their access token ends, after 15 minutes. */
const COME_BACK_MS = 900_000

/**
 * When a session was last used, as the store knows it: with clients that come back all day, evenly spread over the grain of
 * `last_used_at`, so that one refresh in 25 writes it anew.
 */
export function lastUsedAtMs(population: Population, n: number): number {
  const seedingMs = population.seededAtMs + 86_400_000
  const part = (n * 0.618_033_988_749) % 1
  return Math.round(seedingMs - part * (lastUseGrainMs(0) + COME_BACK_MS))
}

/** Every second account's sessions rotate: both kinds of refresh are measured on the same store. */
export function rotates(n: number): boolean {
  return Math.floor(n / SESSIONS_PER_ACCOUNT) % 2 === 0
}

/** The `k`th session of one kind, in an order that jumps through the whole population. */
export function scattered(population: Population, rotating: boolean, k: number): number {
  const accounts = population.sessions / SESSIONS_PER_ACCOUNT / 2
  const kind = accounts * SESSIONS_PER_ACCOUNT
  // A stride without common divisor with any of our sizes; the golden ratio spreads every stretch evenly.
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
