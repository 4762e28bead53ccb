import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Returns once a file is on the disk; of a folder, the names in it: a new file is durable only with its name. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
