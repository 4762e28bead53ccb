import { randomBytes } from 'node:crypto'
import {
  existsSync,
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { SealError } from '../tokens/seal.ts'
import { LIMITS } from '../settings/limits.ts'
import { SettingsError } from '../settings/read-settings.ts'
import { syncFile } from '../store/sync-file.ts'

/** Makes the data folder if it does not exist, accessible to its owner alone. */
export function ensureDataDir(dataDir: string): void {
  const missing: string[] = []
  for (let folder = resolve(dataDir); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder)
  try {
    // One by one: Node's recursive `mkdir` never returns where the system refuses, such as below /proc.
    for (const folder of missing) makeFolder(folder)
  } catch (error) {
    throw new SettingsError([`DUKTIG_DATA_DIR cannot be made: ${(error as Error).message}`])
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another process that starts at the same moment may have made it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  syncFile(dirname(folder))
}

/**
 * The master secret: that of the settings, or else the one in the data folder, which the first start makes.
 * @param isNeeded whether the store has something sealed with it, so that no new one may be made
 * @throws {SealError} when the secret is needed but missing, or the file is too short to hold one
 */
export function masterSecret(dataDir: string, given: string | null, isNeeded: boolean): string {
  if (given !== null) return given
  const file = join(dataDir, 'secret')
  if (isNeeded && !existsSync(file))
    throw new SealError(
      `the master secret is missing, with which the signing keys in the store are sealed: put ${resolve(file)} back, or ` +
        'set DUKTIG_SECRET to what it held',
    )
  try {
    writeNew(file, randomBytes(32).toString('base64url'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    chmodSync(file, 0o600)
  }
  const secret = readFileSync(file, 'utf8').trim()
  if (secret.length < LIMITS.masterSecretCharactersMin)
    throw new SealError(
      `${resolve(file)} has less than ${LIMITS.masterSecretCharactersMin} characters and is no master secret: put the right one there, or set ` +
        'DUKTIG_SECRET; where there has never been a service, remove the file and one is made',
    )
  return secret
}

/** The id of this data folder's instance among those that share a database; made at the first start. */
export function instanceIdOf(dataDir: string): string {
  const file = join(dataDir, 'instance')
  try {
    writeNew(file, randomBytes(9).toString('base64url'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8').trim()
}

/**
 * Syncs the content before the file gets its name: if a power cut took a secret, all that it encrypted would be lost.
 */
function writeNew(file: string, content: string): void {
  const draft = `${file}.${process.pid}`
  const descriptor = openSync(draft, 'w', 0o600)
  try {
    writeSync(descriptor, `${content}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  try {
    linkSync(draft, file)
  } finally {
    unlinkSync(draft)
  }
  syncFile(dirname(file))
}
