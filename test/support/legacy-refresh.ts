/** Refreshing with a token of the original, as its client does. */
import assert from 'node:assert/strict'
import type { Account } from '../../src/core/account.ts'
import { isDenial } from '../../src/core/denial.ts'
import { readLegacyRefreshToken } from '../../src/tokens/legacy-refresh-token.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { type Refreshed, refreshSession } from '../../src/usecases/refresh-session.ts'
import { LEGACY_KEYS, legacyToken } from './legacy.ts'

export function refresh(deps: Deps, refreshToken: string) {
  const address = '192.0.2.7'
  return refreshSession(deps, { refreshToken, attemptKey: null, application: null, address })
}

export async function refreshed(deps: Deps, token: string): Promise<Refreshed> {
  const outcome = await refresh(deps, token)
  assert.ok(!isDenial(outcome), JSON.stringify(outcome))
  return outcome
}

export function tokenOf({ accountId, email }: Account): Promise<string> {
  return legacyToken({ userId: accountId, email })
}

export function sessionIdOf(token: string): string {
  return readLegacyRefreshToken(token, LEGACY_KEYS.refreshSecret)?.sessionId ?? 'no token'
}

/** `deps` that count the checks of passwords and account keys. */
export function counting(deps: Deps): { deps: Deps; checks(): number } {
  let count = 0
  const verify: Deps['passwords']['verify'] = (hash, password) => {
    count += 1
    return deps.passwords.verify(hash, password)
  }
  return { deps: { ...deps, passwords: { ...deps.passwords, verify } }, checks: () => count }
}

export function denied(outcome: object): string | undefined {
  return isDenial(outcome) ? outcome.denied : undefined
}
