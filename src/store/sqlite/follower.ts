/** Keeps table contents in memory and so follows the transactions. For those that only read, only `begun` is called. */
export interface Follower {
  begun(): void
  /** Called before the commit; may still write. */
  committing?(): void
  committed?(): void
  undone(): void
}
