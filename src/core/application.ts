/** A calling application: who may sign users in, and the policy its sessions live under. */

export interface Policy {
  /** Whether sessions opened from now on rotate their refresh token. */
  readonly rotation: boolean
  /** `G` of `docs/refresh.md`: how long after a hand-out nothing advances. */
  readonly parallelWindowSeconds: number
  /** `W` of `docs/refresh.md`: how long after a rotation the previous token is answered with the same successor. */
  readonly retryWindowSeconds: number
  /** How long a session may rest unused; 0 for no limit. */
  readonly idleSeconds: number
  /** The absolute life of a session, from sign-in. */
  readonly sessionTtlSeconds: number
  readonly accessTokenTtlSeconds: number
  /** Refreshing must carry the application's key. */
  readonly requireKeyOnRefresh: boolean
}

export interface Application extends Policy {
  readonly applicationId: number
  readonly clientId: string
  readonly name: string
  readonly type: 'public' | 'confidential'
  readonly disabled: boolean
  /** Raised when the application is disabled; sessions of an older epoch are over. */
  readonly epoch: number
  /** A backend of ours: it may pass its user's address in `X-Real-Ip`. */
  readonly trustedBackend: boolean
}

/** The application that the settings describe: its key is `DUKTIG_AUTH_KEY`. */
export const DEFAULT_APPLICATION_ID = 1
