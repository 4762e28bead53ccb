import type { Application } from '../core/application.ts'
import { type Denial, deny } from '../core/denial.ts'
import { hashApplicationKey } from '../tokens/application-key.ts'
import type { Deps } from './deps.ts'

/**
 * The application that a key opens. Denials: `credential-missing`, `application-unknown`; whoever operates the service is told
 * of the latter, from which address it came, since the caller is not told why.
 */
export async function identifyApplication(
  deps: Deps,
  key: string,
  request: { readonly address: string },
): Promise<Application | Denial> {
  if (key === '') return deny('credential-missing')
  const application = await deps.store.findApplicationByKey(hashApplicationKey(key))
  if (application !== null && !application.disabled) return application
  deps.events.unknownKey(request.address)
  return deny('application-unknown')
}
