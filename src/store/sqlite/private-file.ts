import { closeSync, openSync } from 'node:fs'

/**
 * Makes an empty file that its owner alone may read, unless there is one: SQLite makes a database of it, and gives the files
 * beside it the same mode. Left to SQLite, everybody on the machine may read it where the folder lets them.
 */
export function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch {
    // It is there already; or it cannot be made, which SQLite words when it tries.
  }
}
