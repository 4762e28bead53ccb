import type { AccountStatus } from '../core/account.ts'
import type { Decoys } from '../passwords/decoys.ts'
import type { PasswordPolicy } from '../passwords/policy.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Store } from '../store/store.ts'
import type { TokenNames } from '../tokens/access-token.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { LegacyKeys } from '../tokens/legacy-refresh-token.ts'
import type { Events } from './events.ts'

/** What the use cases work with; a plain record, put together in `compose.ts`. */
export interface Deps {
  readonly store: Store
  readonly keys: KeyRing
  readonly passwords: Passwords
  readonly names: TokenNames
  readonly events: Events
  readonly decoys: Decoys
  readonly passwordPolicy: PasswordPolicy
  readonly rateLimits: boolean
  /** The keys of the original (Duktig.Microservice), while its refresh tokens are accepted; null otherwise. */
  readonly legacy: LegacyKeys | null
  /** The status of accounts that register themselves. */
  readonly registrationStatus: AccountStatus
  /** How long recorded actions and their counts are kept. */
  readonly actionRetentionMs: number
}
