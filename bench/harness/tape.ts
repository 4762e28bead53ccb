/** Tapes: files of records of the same length, one after the other, which load generators send. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Session } from '../../src/core/session.ts'
import { mintAccessToken } from '../../src/tokens/access-token.ts'
import { mintRefreshToken } from '../../src/tokens/refresh-token.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import {
  FIRST_GENERATION,
  PASSWORD,
  type Population,
  accountIdOf,
  emailOf,
  scattered,
  sessionIdOf,
  sessionsOfOneKind,
} from './population.ts'

export interface Tape {
  readonly file: string
  /** The length of one record in bytes. */
  readonly recordSize: number
  readonly records: number
}

/**
 * What is on a tape: refresh tokens of sessions that rotate, each the current one when its turn comes; refresh tokens
 * of sessions that do not rotate; access tokens; bodies of sign-ins.
 */
export type TapeKind = 'rotating' | 'resting' | 'access' | 'sign-in'

/** Makes tapes for one store. Records that were used do not appear on later tapes. */
export class TapeMaker {
  readonly #keys: Pick<Deps, 'keys' | 'names'>
  readonly #population: Population
  readonly #folder: string
  readonly #used: Record<TapeKind, number> = { rotating: 0, resting: 0, access: 0, 'sign-in': 0 }

  constructor(keys: Pick<Deps, 'keys' | 'names'>, population: Population, folder: string) {
    this.#keys = keys
    this.#population = population
    this.#folder = folder
  }

  make(kind: TapeKind, records: number): Tape {
    const file = join(this.#folder, `${kind}.tape`)
    const first = this.#used[kind]
    const recordSize = this.#record(kind, first).length
    const descriptor = openSync(file, 'w')
    try {
      for (let at = 0; at < records; at += 1000) {
        let text = ''
        for (let k = at; k < Math.min(at + 1000, records); k++) text += this.#record(kind, first + k)
        if (text.length % recordSize !== 0) throw new Error('the records of a tape differ in length')
        writeSync(descriptor, text)
      }
      // Otherwise the system would write the tape under load, and the first commits would wait behind a hundred
      // megabytes.
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    return { file, recordSize, records }
  }

  /** Notes how many records of the last tape were sent; the next tape begins after them. */
  used(kind: TapeKind, sent: number): void {
    this.#used[kind] += sent
  }

  #record(kind: TapeKind, k: number): string {
    const { keys, names } = this.#keys
    const population = this.#population
    const session = sessionOf(population, scattered(population, kind !== 'resting', k))
    const { accountId } = session
    const email = emailOf(accountId)
    switch (kind) {
      case 'sign-in':
        return JSON.stringify({ email, password: PASSWORD })
      case 'access': {
        const person = { accountId, firstName: 'Person', lastName: `Number ${accountId}`, email }
        const account = { ...person, roleId: 4, status: 1 } as const
        return mintAccessToken(keys.signer('access'), names, session, account, 86_400, Date.now()).token
      }
      case 'resting':
        return mintRefreshToken(keys.signer('refresh'), names, session)
      case 'rotating': {
        const generation = FIRST_GENERATION + Math.floor(k / sessionsOfOneKind(population))
        return mintRefreshToken(keys.signer('refresh'), names, { ...session, generation })
      }
    }
  }
}

/** The part of a session that tokens state; the rest is in the store. */
function sessionOf(population: Population, n: number): Session {
  const { seededAtMs, expiresAtMs } = population
  const times = { rotatedAtMs: seededAtMs, expiresAtMs, generation: FIRST_GENERATION }
  return { ...times, sessionId: sessionIdOf(population, n), accountId: accountIdOf(n) } as Session
}
