import { createHash, randomBytes } from 'node:crypto'

/** A new application key: 256 random bits. The prefix lets scanners of repositories recognise it. */
export function newApplicationKey(): string {
  return `duktig_${randomBytes(32).toString('base64url')}`
}

/** How application keys are stored. They are long and random, so one pass of SHA-256 is enough; base64url. */
export function hashApplicationKey(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}
