/**
 * What the times of an application's policy may be. The settings describe the default application, the command line the
 * others.
 */
import { type Kind, wholeNumber } from './kinds.ts'
import { LIMITS } from './limits.ts'

/** The times of a policy, in seconds, named as in the policy itself. */
export type PolicyTime =
  | 'parallelWindowSeconds'
  | 'retryWindowSeconds'
  | 'idleSeconds'
  | 'sessionTtlSeconds'
  | 'accessTokenTtlSeconds'

/** The names under which the operator knows the times. */
export type PolicyNames = Readonly<Record<PolicyTime, string>>

const TEN_YEARS_SECONDS = 315_360_000

export const POLICY_KINDS: Readonly<Record<PolicyTime, Kind<number>>> = {
  parallelWindowSeconds: wholeNumber(1, 3600),
  retryWindowSeconds: wholeNumber(1, 86_400),
  idleSeconds: wholeNumber(0, TEN_YEARS_SECONDS),
  sessionTtlSeconds: wholeNumber(60, TEN_YEARS_SECONDS),
  accessTokenTtlSeconds: wholeNumber(10, LIMITS.accessTokenTtlSecondsMax),
}

/** What contradicts itself in a policy, a sentence each. A time that is left out contradicts none. */
export function policyMistakes(
  policy: Readonly<Partial<Record<PolicyTime, number | undefined>>>,
  names: PolicyNames,
): readonly string[] {
  const {
    retryWindowSeconds: retry = Number.NaN,
    parallelWindowSeconds: parallel = Number.NaN,
    accessTokenTtlSeconds: access = Number.NaN,
    sessionTtlSeconds: session = Number.NaN,
  } = policy
  const mistakes: string[] = []
  if (retry < parallel)
    mistakes.push(
      `${names.retryWindowSeconds} (${retry}) must not be less than ${names.parallelWindowSeconds} (${parallel})`,
    )
  if (access > session)
    mistakes.push(
      `${names.accessTokenTtlSeconds} (${access}) must not exceed ${names.sessionTtlSeconds} (${session})`,
    )
  return mistakes
}

/**
 * What a policy may say but hardly means, as a sentence; null if there is nothing of that kind. An idle limit that is not
 * longer than access tokens live may sign out clients that refresh just as they should.
 */
export function policyDoubt(
  policy: Readonly<Pick<Record<PolicyTime, number>, 'idleSeconds' | 'accessTokenTtlSeconds'>>,
  names: PolicyNames,
): string | null {
  const { idleSeconds: idle, accessTokenTtlSeconds: access } = policy
  if (idle === 0 || idle > access) return null
  return (
    `${names.idleSeconds} (${idle}) should be more than ${names.accessTokenTtlSeconds} (${access}), because a client ` +
    'that refreshes only when its access token has ended may find its session over'
  )
}
