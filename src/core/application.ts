/** An application that signs users in, and the policy of its sessions. */

export interface Policy {
  /** Whether sessions opened from now on rotate their refresh token. */
  readonly rotation: boolean
  /** `G` of `docs/refresh.md`: how long the generation does not advance after its token was handed out. */
  readonly parallelWindowSeconds: number
  /** `W` of `docs/refresh.md`: how long after a rotation the previous token is answered with the same successor. */
  readonly retryWindowSeconds: number
  /** How long a session may stay unused; 0 for no limit. */
  readonly idleSeconds: number
  /** The absolute lifetime of a session, from sign-in. */
  readonly sessionTtlSeconds: number
  readonly accessTokenTtlSeconds: number
  /** Whether a refresh must carry the application's key. */
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
  /** Whether the application is a trusted backend, which may pass its user's address in `X-Real-Ip`. */
  readonly trustedBackend: boolean
}

/** The properties of an application to change; those left out stay as they are. */
export type ApplicationChange = Partial<Policy & Pick<Application, 'name' | 'trustedBackend' | 'disabled'>>

/** The application after a change. Disabling it raises the epoch, which ends its sessions; enabling does not. */
export function changedApplication(before: Application, change: ApplicationChange): Application {
  const disabling = change.disabled === true && !before.disabled
  return { ...before, ...change, epoch: before.epoch + (disabling ? 1 : 0) }
}

/** The application that the settings describe; its key is `DUKTIG_AUTH_KEY`. */
export const DEFAULT_APPLICATION_ID = 1
