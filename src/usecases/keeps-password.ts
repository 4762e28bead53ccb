import { isStrongPassword } from '../core/account-fields.ts'
import type { Denial } from '../core/denial.ts'
import { PRESENT_PASSWORD_BUCKET } from '../core/guessing.ts'
import type { Caller } from './authenticate.ts'
import { hasPassword } from './change-account.ts'
import type { Deps } from './deps.ts'
import { takeDrop } from './guard-sign-in.ts'

/**
 * Whether a password that the policy refuses is the caller's present one, which the account may keep. Every check
 * counts against a limit: otherwise the thief of an access token could guess the password here and leave no trace.
 * Denials: `too-many-attempts`. @throws {Overloaded}
 */
export async function keepsPassword(
  deps: Deps,
  { account, session }: Caller,
  password: unknown,
  request: { readonly address: string },
): Promise<boolean | Denial> {
  if (!isStrongPassword(password)) return false
  const { accountId } = account
  const { address } = request
  const by = { accountId, message: 'Too many requests', sessionId: session.sessionId, address }
  const denial = await takeDrop(deps, `present password ${accountId}`, PRESENT_PASSWORD_BUCKET, by)
  return denial ?? hasPassword(deps, accountId, password)
}
