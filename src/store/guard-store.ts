/** The verbs that protect against guessing passwords, with their guarantees. */
import type { Admission, BucketSize, Source } from '../core/guessing.ts'

export interface SignInAttempt {
  /** A hash of the e-mail address, whether or not an account has it. */
  readonly accountKey: string
  /** The sources that the caller may count as, best first. */
  readonly sources: readonly Source[]
  /** The bucket of the caller's address or, on a known device, of the account's devices. */
  readonly bucketKey: string
  readonly size: BucketSize
}

/** An admitted attempt: the source it was counted for, and the number of failures including this one. */
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
  /** Counts an attempt before its password is checked, or refuses it. Atomic across all instances. */
  admitSignIn(attempt: SignInAttempt): Promise<Admission>
  /** Uncounts an attempt whose password was never checked. A wait that a later attempt has caused stays. */
  takeBackAttempt(attempt: CountedAttempt): Promise<void>
  /** Forgets the account's failures, takes this attempt off its bucket, and remembers the address. */
  signInSucceeded(success: SuccessfulSignIn): Promise<void>
  /** Forgets the failures of an account, as after a new password. */
  clearGuards(accountKey: string): Promise<void>
  isKnownAddress(accountId: number, addressKey: string): Promise<boolean>
  /** Adds a drop to a bucket. Returns null, or if the bucket is full, the milliseconds until it has room. */
  takeDrop(bucketKey: string, size: BucketSize): Promise<number | null>
  /** Removes counters unchanged since these times, at most `limit` of each kind. Returns the larger count. */
  removeOldGuards(guardsBeforeMs: number, bucketsBeforeMs: number, limit: number): Promise<number>
}

/** The key of an account's failures from one kind of source. */
export function guardKey(accountKey: string, source: Source): string {
  return `${accountKey} ${source}`
}
