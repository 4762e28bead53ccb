import { closeSync, openSync } from 'node:fs'

/**
 * Creates an empty file that only its owner may read, unless the file exists. SQLite makes a database of it and gives
 * the files beside it the same mode. A file created by SQLite could be read by everybody who may enter the folder.
 */
export function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch {
    // The file exists, or it cannot be created; SQLite reports the latter when it opens the file.
  }
}
