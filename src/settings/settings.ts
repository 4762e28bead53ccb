/** Every setting, with variable, kind, unit, default and one sentence; the reference page and `--help` show these. */
import {
  type Kind,
  addressRanges,
  databaseUrl,
  headerName,
  httpUrl,
  onOff,
  oneOf,
  origins,
  matching,
  printable,
  timeZone,
  wholeNumber,
} from './kinds.ts'
import { LIMITS } from './limits.ts'
import { POLICY_KINDS } from './policy.ts'

export interface Definition<T> {
  readonly variable: string
  readonly kind: Kind<T>
  readonly unit?: string
  /** The default as it would be written; null where `sentence` says what happens when the setting is unset. */
  readonly default: string | null
  readonly sentence: string
  /** Never shown, not even in an error. */
  readonly secret?: boolean
}

const optional = <T>(definition: Omit<Definition<T>, 'default'>): Definition<T | null> => ({
  ...definition,
  default: null,
})
const required = <T>(definition: Definition<T> & { default: string }): Definition<T> => definition

/** A refresh token is always accepted in this header too, so the settings must not give it to another credential. */
const REFRESH_TOKEN_ALIAS = 'x-refresh-token'

export const SETTINGS = {
  host: required({
    variable: 'DUKTIG_HOST',
    kind: matching('address or name', /^[A-Za-z0-9.:-]{1,255}$/, 'an address or a host name'),
    default: '127.0.0.1',
    sentence: 'Where the service listens; a name stands for the first address that it has.',
  }),
  port: required({
    variable: 'DUKTIG_PORT',
    kind: wholeNumber(0, 65535),
    default: '8088',
    sentence: 'The port of the service; 0 takes a free one.',
  }),
  dataDir: required({
    variable: 'DUKTIG_DATA_DIR',
    kind: matching('folder', /^.{1,4096}$/, 'a folder'),
    default: './data',
    sentence: 'The folder for the SQLite database and the secrets made at the first start.',
  }),
  databaseUrl: optional({
    variable: 'DUKTIG_DATABASE_URL',
    kind: databaseUrl(),
    secret: true,
    sentence: 'The PostgreSQL database; unset, SQLite in the data folder is used.',
  }),
  authKey: optional({
    variable: 'DUKTIG_AUTH_KEY',
    kind: printable(16),
    secret: true,
    sentence:
      'The key of the default application; a new key replaces the previous one. If unset, the last key stays valid; the first start generates one and prints it once.',
  }),
  secret: optional({
    variable: 'DUKTIG_SECRET',
    kind: printable(LIMITS.masterSecretCharactersMin),
    secret: true,
    sentence:
      'The master secret that encrypts the signing keys in the store, the same on all instances; if unset, the first start generates one.',
  }),
  issuer: optional({
    variable: 'DUKTIG_ISSUER',
    kind: httpUrl(),
    sentence: 'The issuer (`iss`) of all tokens; unset, `http://` with host and port.',
  }),
  audience: required({
    variable: 'DUKTIG_AUDIENCE',
    kind: printable(1),
    default: 'duktig',
    sentence: 'The audience (`aud`) of all tokens.',
  }),
  mode: required({
    variable: 'DUKTIG_MODE',
    kind: oneOf('production', 'development'),
    default: 'production',
    sentence: 'In development, the answer to a fault says what happened.',
  }),
  maintenance: required({
    variable: 'DUKTIG_MAINTENANCE',
    kind: onOff(),
    default: 'off',
    sentence: 'Answers everything but `/system/ping` and the health checks with 503.',
  }),
  timeZone: required({
    variable: 'DUKTIG_TIME_ZONE',
    kind: timeZone(),
    default: 'UTC',
    sentence: 'The time zone of dates in answers and imports.',
  }),
  registrationStatus: required({
    variable: 'DUKTIG_REGISTRATION_STATUS',
    kind: oneOf('0', '1'),
    default: '0',
    sentence:
      'The status of accounts that register themselves: 0 must be activated first, 1 may sign in at once.',
  }),
  rateLimits: required({
    variable: 'DUKTIG_RATE_LIMITS',
    kind: onOff(),
    default: 'on',
    sentence: 'Limits against guessing and flooding; off only for benchmarks and tests.',
  }),
  passwordMinLength: optional({
    variable: 'DUKTIG_PASSWORD_MIN_LENGTH',
    kind: wholeNumber(6, 64),
    unit: 'characters',
    sentence:
      'The minimum length of passwords that are set from now on, in Unicode code points after composing (NFC); NIST advises 15 where nothing else protects an account. The minimum of the API, 6 bytes, applies in any case; unset, it alone.',
  }),
  corsOrigins: optional({
    variable: 'DUKTIG_CORS_ORIGINS',
    kind: origins(),
    sentence: 'Web pages of these origins may call the service; unset, none.',
  }),
  trustedProxies: optional({
    variable: 'DUKTIG_TRUSTED_PROXIES',
    kind: addressRanges(),
    sentence:
      'Proxies whose `X-Forwarded-For` is believed: its last address that is not one of them is the client’s; unset, none.',
  }),
  accessTokenAlg: required({
    variable: 'DUKTIG_ACCESS_TOKEN_ALG',
    kind: oneOf('HS256', 'ES256', 'EdDSA', 'RS256'),
    default: 'HS256',
    sentence: 'The signature algorithm of access tokens.',
  }),
  accessTokenTtlSeconds: required({
    variable: 'DUKTIG_ACCESS_TOKEN_TTL_SECONDS',
    kind: POLICY_KINDS.accessTokenTtlSeconds,
    unit: 'seconds',
    default: '900',
    sentence: 'The life of an access token.',
  }),
  refreshTokenTtlSeconds: required({
    variable: 'DUKTIG_REFRESH_TOKEN_TTL_SECONDS',
    kind: POLICY_KINDS.sessionTtlSeconds,
    unit: 'seconds',
    default: '2592000',
    sentence: 'The absolute life of a session and its refresh tokens, from sign-in.',
  }),
  sessionIdleSeconds: required({
    variable: 'DUKTIG_SESSION_IDLE_SECONDS',
    kind: POLICY_KINDS.idleSeconds,
    unit: 'seconds',
    default: '0',
    sentence:
      'How long a session may go without a refresh; 0 for no limit. Choose more than access tokens live: clients need not refresh earlier.',
  }),
  refreshRotation: required({
    variable: 'DUKTIG_REFRESH_ROTATION',
    kind: onOff(),
    default: 'off',
    sentence: 'Whether new sessions of the default application rotate their refresh token.',
  }),
  refreshParallelWindowSeconds: required({
    variable: 'DUKTIG_REFRESH_PARALLEL_WINDOW_SECONDS',
    kind: POLICY_KINDS.parallelWindowSeconds,
    unit: 'seconds',
    default: '20',
    sentence:
      'How long after issuing a refresh token no newer one is issued, so that parallel tabs do not invalidate it.',
  }),
  refreshRetryWindowSeconds: required({
    variable: 'DUKTIG_REFRESH_RETRY_WINDOW_SECONDS',
    kind: POLICY_KINDS.retryWindowSeconds,
    unit: 'seconds',
    default: '60',
    sentence:
      'How long after a rotation the previous refresh token is answered with the same successor; not shorter than the parallel window.',
  }),
  authKeyHeader: required({
    variable: 'DUKTIG_AUTH_KEY_HEADER',
    kind: headerName([REFRESH_TOKEN_ALIAS]),
    default: 'X-Auth-Key',
    sentence: 'The header of the application key.',
  }),
  accessTokenHeader: required({
    variable: 'DUKTIG_ACCESS_TOKEN_HEADER',
    kind: headerName([REFRESH_TOKEN_ALIAS]),
    default: 'Access-Token',
    sentence: 'The header of the access token; `Authorization: Bearer` always works too.',
  }),
  refreshTokenHeader: required({
    variable: 'DUKTIG_REFRESH_TOKEN_HEADER',
    kind: headerName(),
    default: 'Refresh-Token',
    sentence: 'The header of the refresh token; `X-Refresh-Token` always works too.',
  }),
  metricsHost: required({
    variable: 'DUKTIG_METRICS_HOST',
    kind: matching('address or name', /^[A-Za-z0-9.:-]{1,255}$/, 'an address or a host name'),
    default: '127.0.0.1',
    sentence: 'Where `/metrics` listens, apart from the service.',
  }),
  metricsPort: required({
    variable: 'DUKTIG_METRICS_PORT',
    kind: wholeNumber(0, 65535),
    default: '8089',
    sentence: 'The port of `/metrics`; 0 takes a free one.',
  }),
  actionRetentionDays: required({
    variable: 'DUKTIG_ACTION_RETENTION_DAYS',
    kind: wholeNumber(1, 3650),
    unit: 'days',
    default: '365',
    sentence: 'How long recorded actions and their counts are kept.',
  }),
  shutdownDelaySeconds: required({
    variable: 'DUKTIG_SHUTDOWN_DELAY_SECONDS',
    kind: wholeNumber(0, 300),
    unit: 'seconds',
    default: '0',
    sentence:
      'How long the service goes on answering when it is told to stop, while `/health/ready` already says no: as long as a load balancer takes to notice.',
  }),
  slowRequestMs: required({
    variable: 'DUKTIG_SLOW_REQUEST_MS',
    kind: wholeNumber(1, 600_000),
    unit: 'milliseconds',
    default: '1000',
    sentence: 'Requests that take this long or longer are logged.',
  }),
  legacyRefreshSecret: optional({
    variable: 'DUKTIG_LEGACY_REFRESH_SECRET',
    kind: matching('text', /^.{1,1024}$/, 'the text from the configuration of Duktig.Microservice'),
    secret: true,
    sentence:
      'The `JWT.refresh_token.secretKey` of Duktig.Microservice 1.x, while refresh tokens that it issued are taken.',
  }),
  legacyAccountKey: optional({
    variable: 'DUKTIG_LEGACY_ACCOUNT_KEY',
    kind: matching('text', /^.{1,1024}$/, 'the text from the configuration of Duktig.Microservice'),
    secret: true,
    sentence: 'Its `JWT.refresh_token.account_key`; both are set, or neither.',
  }),
  logLevel: required({
    variable: 'DUKTIG_LOG_LEVEL',
    kind: oneOf('debug', 'info', 'warn', 'error', 'silent'),
    default: 'info',
    sentence: 'The lowest level that is logged.',
  }),
} as const

type ValueOf<D> = D extends Definition<infer T> ? T : never
export type Settings = { readonly [K in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[K]> }
