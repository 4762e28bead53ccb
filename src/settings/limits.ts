/** Every bound of the service that is not a setting, with its reason. */
export const LIMITS = {
  /** The largest legitimate body is a few hundred bytes; an import goes through the command line. */
  bodyBytes: 16 * 1024,
  /** Deeper JSON is no body of ours; the bound stops a parser from being led into the depth. */
  jsonDepth: 8,
  /** Room for two tokens and a proxy's headers. */
  headerBytes: 16 * 1024,
  /** Our own tokens have 400 to 1,000 characters; nothing longer is looked at. */
  tokenCharacters: 4096,
  /** An idempotency key is a UUID or the like. */
  attemptKeyCharacters: 255,
  /** What is kept of a user agent or a device label. */
  deviceTextCharacters: 255,
  /** A whole request must have arrived by then: slow senders hold no connection. */
  requestMs: 10_000,
  headersMs: 5_000,
  /** How often connections are looked at for the two; Node's own 30 s would be the real bound. */
  connectionCheckMs: 1_000,
  /** Connections that wait to be accepted; beyond it a client's system tries again after a second. The kernel may allow fewer. */
  backlog: 4096,
  /**
   * A connection on which nothing moves for so long is closed. Longer than the idle time-outs of common load balancers (60 s), so
   * that they close first.
   */
  keepAliveMs: 65_000,
  /** A refresh that has not been decided by then is refused and never happens (docs/refresh.md). */
  decisionMs: 2_000,
  /** A stop waits this long for requests under way. A second is left for closing the store: containers are killed after ten. */
  drainMs: 9_000,
  /** How often it looks for connections that have become idle. */
  drainCheckMs: 50,
  /** Live sessions of one account; the longest unused makes room. */
  liveSessionsPerAccount: 100,
  /** Sessions in one listing: the live ones and some ended before them. */
  sessionsListed: 1000,
  accountsListed: 1000,
  actionsListed: 1000,
  /** Actions are written together when so many wait, or the first has waited so long. */
  actionsPerGroup: 1000,
  actionGroupMs: 200,
  /** Held in memory while the store cannot write: a few megabytes. */
  actionsInMemory: 10_000,
  /** Held in memory while the log cannot be written, because its disk is full; what is more is given up. */
  logBytesWaiting: 1024 * 1024,
  /** A group of actions is sent again no later than this. */
  actionWriterMemoryMs: 2_592_000_000,
  /** Jobs that may wait for a password hash; beyond it a request is refused. As many are hashed at a time as there are cores. */
  hashesWaiting: 64,
  /** Those that an account brings about by changing its own password: an eighth of the queue, so that others can sign in. */
  hashesOfOneAccount: 8,
  /** Hashed one after the other without a pause once the least wait for each thread: what goes on after a hash finds warm caches but once. */
  hashesTogether: { least: 4, most: 8 },
  /** Accounts that are looked at to learn which kinds of hashes there are. */
  hashesSampled: 256,
  /** Who waits longer for his hash is told to come again. */
  hashWaitMs: 5_000,
  /** Rows that one step of the clean-up removes, so that it never holds the store for long. */
  expiredRowsPerStep: 200,
  /** A token of the original is remembered longer than it is good, lest a clock set back makes it one never used. */
  legacyTokenMemoryMs: 35 * 86_400_000,
  /** How often instances look for new signing keys; keys are published far longer than that before they sign. */
  keyReloadMs: 10_000,
  keyPublishedBeforeUseMs: 600_000,
  /** A device that signed in is known this long (OWASP's device cookie). */
  deviceTokenTtlSeconds: 31_536_000,
  /** Journals of ends are kept this long: a backup older than that is not recovered with them. */
  journalKeptMs: 35 * 86_400_000,
  /** How often a service looks for ends that its journal lacks: a start reads what was written since the last look but one. */
  journalLookMs: 3_600_000,
  /** How often an instance records in the database that it is alive; from that, recovery knows how old a restored one is. */
  heartbeatMs: 10_000,
  /** Ids that recovery leaves out, since accounts may have been registered after the backup. */
  recoveryIdGap: 1_000_000,
  /** Addresses remembered as those of an account's owner; the longest unseen is forgotten. */
  knownAddressesPerAccount: 20,
  /** Failures are forgotten after this time without a new one: nobody guesses that slowly. */
  guardMemoryMs: 31_536_000_000,
  /** No bucket takes longer to run empty. */
  bucketMemoryMs: 86_400_000,
  /** Public routes and refused requests of one address, before it must wait; a drop leaks out every 10 ms. */
  floodCapacity: 2_000,
  floodLeakMs: 10,
  /** Addresses that one instance keeps count of. */
  floodAddresses: 100_000,
  /** Passwords, in bytes of UTF-8 (contract, section 4). */
  passwordBytesMin: 6,
  passwordBytesMax: 256,
} as const
