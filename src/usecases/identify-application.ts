import type { Application } from '../core/application.ts'
import { type Denial, deny } from '../core/denial.ts'
import { hashApplicationKey } from '../tokens/application-key.ts'
import type { Deps } from './deps.ts'

/**
 * Returns the application that a key belongs to. Denials: `credential-missing`, `application-unknown`. The answer does
 * not tell the caller why a key is refused, so the network address is reported to the operator.
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
