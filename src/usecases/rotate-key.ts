import { LIMITS } from '../settings/limits.ts'
import type { KeyPurpose, StoredKey } from '../store/store.ts'
import type { Deps } from './deps.ts'
import { SYSTEM } from '../core/actions.ts'

/** A little longer than any instance needs to notice that a key has retired. */
const MARGIN_MS = 60_000

/**
 * Adds a signing key for a purpose. It is published at once, and signs once all instances and resource servers have had
 * time to learn it. Earlier keys verify until the last token they signed has expired, so nobody is signed out.
 */
export async function rotateKey(deps: Deps, purpose: KeyPurpose): Promise<StoredKey> {
  const { keys, store, events } = deps
  await keys.reload()
  const publishedAtMs = store.clock.nowMs()
  const before = keys.findSigner(purpose)
  // After the clock was set back, the present signer may become active only in the future: the new key follows it.
  const signsFromMs = Math.max(publishedAtMs, before?.activeAtMs ?? 0) + LIMITS.keyPublishedBeforeUseMs
  // If no key can sign until then, as before a change of algorithm, the new key must be able to sign at once.
  const bridges = before !== null && (before.retireAtMs === null || before.retireAtMs > signsFromMs)
  const activeAtMs = bridges ? signsFromMs : publishedAtMs
  const key = keys.newKey(purpose, activeAtMs)
  await store.rotateKey(key, activeAtMs + (await longestLifeMs(deps, purpose)) + MARGIN_MS)
  await keys.reload()
  events.action({ accountId: SYSTEM, code: 'Keys->rotate', message: `New ${purpose} key ${key.kid}` })
  return key
}

/** How long the last token that an old key signs may live. */
async function longestLifeMs(deps: Deps, purpose: KeyPurpose): Promise<number> {
  if (purpose === 'device') return LIMITS.deviceTokenTtlSeconds * 1000
  const applications = await deps.store.listApplications()
  const lives = applications.map((a) =>
    purpose === 'access' ? a.accessTokenTtlSeconds : a.sessionTtlSeconds,
  )
  return Math.max(0, ...lives) * 1000
}
