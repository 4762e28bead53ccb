/** The verbs against guessing passwords, with their guarantees. */
import type { Admission, BucketSize, Source } from '../core/guessing.ts'

export interface SignInAttempt {
  /** A hash of the e-mail address, whether anybody has it or not. */
  readonly accountKey: string
  /** What the caller can show for himself, best first. */
  readonly sources: readonly Source[]
  /** The caller's address, as it is counted. */
  readonly bucketKey: string
  readonly size: BucketSize
}

/** An attempt that was admitted: what it was counted as, and how many failures there were with it. */
export interface CountedAttempt extends Pick<SignInAttempt, 'accountKey' | 'bucketKey'> {
  readonly source: Source
  readonly failures: number
}

export interface SuccessfulSignIn {
  readonly accountId: number
  readonly accountKey: string
  readonly bucketKey: string
  readonly addressKey: string
}

export interface GuardStore {
  /** Counts an attempt before its password is looked at, or refuses it: one step, on all instances together. */
  admitSignIn(attempt: SignInAttempt): Promise<Admission>
  /** Takes an attempt off the counters whose password was never looked at; a wait that others have brought about since stays. */
  takeBackAttempt(attempt: CountedAttempt): Promise<void>
  /** Forgets the account's failures, takes this attempt off its address, and remembers the address. */
  signInSucceeded(success: SuccessfulSignIn): Promise<void>
  /** Forgets the failures of an account, as after a new password. */
  clearGuards(accountKey: string): Promise<void>
  isKnownAddress(accountId: number, addressKey: string): Promise<boolean>
  /** Takes room for one drop in a bucket; null if there was, else how long until there is, in milliseconds. */
  takeDrop(bucketKey: string, size: BucketSize): Promise<number | null>
  /** Removes counters that nobody has touched since, at most `limit` of each kind. How many of the more frequent kind. */
  removeOldGuards(guardsBeforeMs: number, bucketsBeforeMs: number, limit: number): Promise<number>
}

/** The key of an account's failures from one kind of source. */
export function guardKey(accountKey: string, source: Source): string {
  return `${accountKey} ${source}`
}
