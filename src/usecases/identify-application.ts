import type { Application } from '../core/application.ts'
import { type Denial, deny } from '../core/denial.ts'
import { hashApplicationKey } from '../tokens/application-key.ts'
import type { Deps } from './deps.ts'

/** The application that a key opens. Denials: `credential-missing`, `application-unknown`. */
export async function identifyApplication(deps: Deps, key: string): Promise<Application | Denial> {
  if (key === '') return deny('credential-missing')
  const application = await deps.store.findApplicationByKey(hashApplicationKey(key))
  return application === null || application.disabled ? deny('application-unknown') : application
}
