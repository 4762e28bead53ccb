import type { KeyPurpose } from '../store/store.ts'
import type { TokenNames } from '../tokens/access-token.ts'
import type { SigningKey } from '../tokens/signing-key.ts'
import type { Deps } from './deps.ts'

/**
 * Reads a token once more that `read` has just refused, if it names a key that only the store knows: an instance that
 * was cut off while a key was published must not sign out the holders of its tokens. Null if the token stays refused.
 * @throws {StoreUnavailable} when the store cannot tell whether there is such a key
 */
export async function readWithNewKey<Claims>(
  { keys, names }: Pick<Deps, 'keys' | 'names'>,
  purpose: KeyPurpose,
  token: string,
  read: (token: string, keys: readonly SigningKey[], names: TokenNames) => Claims | null,
): Promise<Claims | null> {
  return (await keys.learnKeyOf(token, purpose)) ? read(token, keys.verifiers(purpose), names) : null
}
