import type { Account } from '../core/account.ts'
import { emailKey } from '../core/account.ts'
import { addressKey } from '../core/address.ts'
import { type Denial, tooManyAttempts } from '../core/denial.ts'
import { type BucketSize, SIGN_IN_BUCKET, type Source } from '../core/guessing.ts'
import type { CountedAttempt } from '../store/guard-store.ts'
import { provesDevice } from '../tokens/device-token.ts'
import { shortHash } from '../tokens/short-hash.ts'
import type { Deps } from './deps.ts'
import type { Action } from './events.ts'
import { GUEST } from '../core/actions.ts'

/** What the limits against guessing need to know about an attempt to sign in. */
export interface Attempt {
  readonly email: string
  readonly address: string
  /** The device token of an earlier sign-in; empty if none was sent. */
  readonly deviceToken: string
}

/**
 * Counts an attempt before its password is checked, or refuses it; null when the limits are off. An unknown e-mail
 * address is treated like a registered one, so that a refusal does not tell them apart. Denials: `too-many-attempts`.
 */
export async function guardSignIn(
  deps: Deps,
  attempt: Attempt,
  account: Account | null,
): Promise<CountedAttempt | Denial | null> {
  if (!deps.rateLimits) return null
  const { store, events } = deps
  const { email, address } = attempt
  const sources = await sourcesOf(deps, attempt, account)
  const keys = { accountKey: emailHash(email), bucketKey: bucketKey(attempt, sources.includes('device')) }
  const admission = await store.admitSignIn({ ...keys, sources, size: SIGN_IN_BUCKET })
  if (admission.admitted) return { ...keys, source: admission.source, failures: admission.guard.failures }
  const accountId = account?.accountId ?? GUEST
  const message = 'Too many requests'
  events.action({ accountId, code: 'Auth->Locked', message, address, isSuspicious: true })
  return tooManyAttempts(admission.retryAfterMs)
}

/**
 * Counts an attempt of `by` against the limit `key`; null when there is room or the limits are off.
 * Denials: `too-many-attempts`.
 */
export async function takeDrop(
  { rateLimits, store, events }: Deps,
  key: string,
  size: BucketSize,
  by: Omit<Action, 'code'>,
): Promise<Denial | null> {
  const waitMs = rateLimits ? await store.takeDrop(key, size) : null
  if (waitMs === null) return null
  events.action({ ...by, code: 'Auth->Locked', isSuspicious: true })
  return tooManyAttempts(waitMs)
}

/** Takes a successful sign-in off the counters and remembers its network address as one of the owner's. */
export async function signInSucceeded(deps: Deps, attempt: Attempt, accountId: number): Promise<void> {
  if (!deps.rateLimits) return
  await deps.store.signInSucceeded({
    accountId,
    accountKey: emailHash(attempt.email),
    bucketKey: bucketKey(attempt, isOnOwnDevice(deps, attempt, accountId)),
    addressKey: addressKey(attempt.address),
  })
}

/** Clears the failures of an account that may not sign in although the password was right: that was no guess. */
export async function passwordWasRight(deps: Deps, { email }: Attempt): Promise<void> {
  if (deps.rateLimits) await deps.store.clearGuards(emailHash(email))
}

/**
 * Names an account's counters, so that they hold no address in plain. The hash is unsalted: whoever reads the database
 * can still find out whether an address that he knows is among them.
 */
export function emailHash(email: string): string {
  return shortHash(emailKey(email))
}

/**
 * A known device has a bucket of its own, so that strangers behind the same network address can fill theirs without
 * locking the owner out.
 */
function bucketKey({ email, address }: Attempt, isOnDevice: boolean): string {
  return isOnDevice ? `sign-in device ${emailHash(email)}` : `sign-in ${addressKey(address)}`
}

function isOnOwnDevice({ store, keys, names }: Deps, { deviceToken }: Attempt, accountId: number): boolean {
  return provesDevice(deviceToken, keys.verifiers('device'), names, accountId, store.clock)
}

async function sourcesOf(deps: Deps, attempt: Attempt, account: Account | null): Promise<Source[]> {
  const { store } = deps
  // Queried without an account too, so that an unknown e-mail address takes the same steps.
  const accountId = account?.accountId ?? 0
  const known = await store.isKnownAddress(accountId, addressKey(attempt.address))
  const device = isOnOwnDevice(deps, attempt, accountId)
  const sources: Source[] = ['stranger']
  if (known) sources.unshift('address')
  if (device) sources.unshift('device')
  return sources
}
