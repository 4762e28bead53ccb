/**
 * The device token: a signed statement that an account has signed in on a device before (OWASP's device cookie). It
 * grants no access; it only lets the owner try a password while a stranger's guesses are being refused.
 */
import type { Clock } from '../store/store.ts'
import { LIMITS } from '../settings/limits.ts'
import type { TokenNames } from './access-token.ts'
import { signJws, verifyJws } from './jws.ts'
import { randomId } from './random-id.ts'
import type { SigningKey } from './signing-key.ts'

export function mintDeviceToken(
  key: SigningKey,
  names: TokenNames,
  accountId: number,
  nowMs: number,
): string {
  const iat = Math.floor(nowMs / 1000)
  const exp = iat + LIMITS.deviceTokenTtlSeconds
  return signJws(
    key,
    JSON.stringify({ iss: names.issuer, sub: String(accountId), jti: randomId(), iat, exp }),
  )
}

/** Whether a token is genuine, has not expired, and says that this account signed in on the holder's device. */
export function provesDevice(
  token: string,
  keys: readonly SigningKey[],
  names: TokenNames,
  accountId: number,
  clock: Clock,
): boolean {
  const claims = token === '' ? null : verifyJws(token, keys)
  if (claims === null || claims['iss'] !== names.issuer || claims['sub'] !== String(accountId)) return false
  return typeof claims['exp'] === 'number' && clock.nowMs() < claims['exp'] * 1000
}
