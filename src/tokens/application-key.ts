import { createHash, randomBytes } from 'node:crypto'

/** A new application key: 256 random bits. The prefix lets secret scanners recognise it. */
export function newApplicationKey(): string {
  return `duktig_${randomBytes(32).toString('base64url')}`
}

/** The stored form of an application key, base64url. Generated keys have 256 random bits, so a fast hash is enough. */
export function hashApplicationKey(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}
