/** Units for the times below and elsewhere. */
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** Every bound of the service that is not a setting, with its reason. */
export const LIMITS = {
  /** The largest legitimate body is a few hundred bytes; an import goes through the command line. */
  bodyBytes: 16 * 1024,
  /** The default of PHP's parser, and so of the original. What it costs to parse is bounded by `bodyBytes`. */
  jsonDepth: 512,
  /** Room for two tokens and a proxy's headers. */
  headerBytes: 16 * 1024,
  /** Our own tokens have 400 to 1,000 characters; a token longer than this is refused unread. */
  tokenCharacters: 4096,
  /** An `Idempotency-Key` is a UUID or the like; a longer one than this is ignored. */
  attemptKeyCharacters: 255,
  /** How much is stored of a user agent or a device id. */
  deviceTextCharacters: 255,
  /** Time for a whole request to arrive, and for its headers, so that slow senders cannot hold connections. */
  requestMs: 10_000,
  headersMs: 5_000,
  /** How often connections are checked against both; at Node's default of 30 s, slow ones would live much longer. */
  connectionCheckMs: 1_000,
  /** Connections waiting to be accepted; beyond that, clients retry after a second. The kernel may allow fewer. */
  backlog: 4096,
  /**
   * How long an idle connection is kept open. Longer than the idle time-outs of common load balancers (60 s), so that
   * they close first.
   */
  keepAliveMs: 65_000,
  /** Time to decide a refresh; one that is not decided by then is refused and never happens (docs/refresh.md). */
  decisionMs: 2_000,
  /** How long a stop waits for requests under way. Containers are killed after 10 s: 1 s is left to close the store. */
  drainMs: 9_000,
  /** How often a stop looks for connections that have become idle. */
  drainCheckMs: 50,
  /** Live sessions of one account; a new one ends the session that has been unused for the longest time. */
  liveSessionsPerAccount: 100,
  /** Sessions in one listing: all live ones and, where there is room, the newest that have ended. */
  sessionsListed: 1000,
  accountsListed: 1000,
  actionsListed: 1000,
  /** Actions are written as a group once this many wait, or once the first has waited this long. */
  actionsPerGroup: 1000,
  actionGroupMs: 200,
  /** Actions held in memory while the store cannot write: a few megabytes. */
  actionsInMemory: 10_000,
  /** Log output held in memory while it cannot be written, for example on a full disk; what exceeds this is dropped. */
  logBytesWaiting: 1024 * 1024,
  /** How long the store remembers the writers of action groups, to recognise a group that is sent again. */
  actionWriterMemoryMs: 30 * DAY_MS,
  /** Password hashes that may wait; beyond that, requests are refused. As many run at a time as there are cores. */
  hashesWaiting: 64,
  /** Hashes of one account that changes its own password: an eighth of the queue, so that others can still sign in. */
  hashesOfOneAccount: 8,
  /**
   * Once `least` hashes wait for each thread, a thread does up to `most` of them as one batch. A hash leaves cold
   * caches behind, and the answers to a batch pay for that only once (docs/decisions/0015).
   */
  hashesTogether: { least: 4, most: 8 },
  /** Accounts sampled to learn which kinds of password hashes are in use. */
  hashesSampled: 256,
  /** A caller who has waited this long for a hash is told to come again. */
  hashWaitMs: 5_000,
  /** Rows that one step of the clean-up removes at most, so that it never holds the store for long. */
  expiredRowsPerStep: 200,
  /** How long an expired token of the original is remembered: if a clock is set back, it must not count as unused. */
  legacyTokenMemoryMs: 35 * DAY_MS,
  /** How often instances look for new signing keys; each is published much longer than that before it signs. */
  keyReloadMs: 10_000,
  keyPublishedBeforeUseMs: 600_000,
  /** The longest life that a policy can give an access token; also how long a key verifies after a change of algorithm. */
  accessTokenTtlSecondsMax: DAY_MS / 1000,
  /** A master secret shorter than this could be guessed; one that Duktig generates has 43 characters. */
  masterSecretCharactersMin: 32,
  /** How long a device is known after a sign-in on it (OWASP's device cookie). */
  deviceTokenTtlSeconds: (365 * DAY_MS) / 1000,
  /** How long journals of ends are kept. With an older backup, recovery counts them as missing. */
  journalKeptMs: 35 * DAY_MS,
  /** How often the service looks for ends that its journal lacks. A start reads back to the last look but one. */
  journalLookMs: HOUR_MS,
  /** How often an instance records in the database that it is alive, which tells recovery how old a restored one is. */
  heartbeatMs: 10_000,
  /** Ids that recovery skips, because accounts may have been registered after the backup. */
  recoveryIdGap: 1_000_000,
  /** Network addresses remembered as the account owner's; the one unseen for the longest time is forgotten. */
  knownAddressesPerAccount: 20,
  /** Failed sign-ins are forgotten after this time without a new one: nobody guesses that slowly. */
  guardMemoryMs: 365 * DAY_MS,
  /** Leaky buckets are forgotten after this time; none takes longer to run empty. */
  bucketMemoryMs: DAY_MS,
  /** Requests of one address to public routes, and refused ones, before it must wait; one leaks out every 10 ms. */
  floodCapacity: 2_000,
  floodLeakMs: 10,
  /** Addresses that one instance counts at a time. */
  floodAddresses: 100_000,
  /** Passwords, in bytes of UTF-8 (contract, section 4). */
  passwordBytesMin: 6,
  passwordBytesMax: 256,
} as const

/** The limits of both HTTP servers, the service's and that of the metrics, as options of Node. */
export const SERVER_LIMITS = {
  maxHeaderSize: LIMITS.headerBytes,
  headersTimeout: LIMITS.headersMs,
  requestTimeout: LIMITS.requestMs,
  connectionsCheckingInterval: LIMITS.connectionCheckMs,
} as const
