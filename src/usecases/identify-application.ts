import { createHash } from 'node:crypto'
import type { Application } from '../core/application.ts'
import { type Denial, deny } from '../core/denial.ts'
import type { Deps } from './deps.ts'

/** The application that a key opens. Denials: `credential-missing`, `application-unknown`. */
export async function identifyApplication(deps: Deps, key: string): Promise<Application | Denial> {
  if (key === '') return deny('credential-missing')
  const application = await deps.store.findApplicationByKey(hashApplicationKey(key))
  return application === null || application.disabled ? deny('application-unknown') : application
}

/** How keys are stored. They are long and random, so one pass of SHA-256 is enough; base64url. */
export function hashApplicationKey(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}
