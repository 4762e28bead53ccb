/** Creates and changes applications and their keys. Only the command line does this, so the actor is the system. */
import type { Application, ApplicationChange } from '../core/application.ts'
import type { NewApplication } from '../store/store.ts'
import { hashApplicationKey, newApplicationKey } from '../tokens/application-key.ts'
import type { Deps } from './deps.ts'
import { SYSTEM } from '../core/actions.ts'
import { told } from './told.ts'

/** Creates an application. Its key is returned this once and stored only as a hash. */
export async function createApplication(
  deps: Deps,
  application: NewApplication,
): Promise<{ readonly application: Application; readonly key: string } | 'client-id-taken'> {
  const key = newApplicationKey()
  const created = await deps.store.createApplication(application, hashApplicationKey(key))
  if (created === 'client-id-taken') return created
  record(deps, `Application ${created.clientId} created`)
  return { application: created, key }
}

/** Changes an application. Disabling it ends all its sessions at once, on every instance, for good. */
export async function changeApplication(
  deps: Deps,
  application: Application,
  change: ApplicationChange,
): Promise<void> {
  await told(deps.store.changeApplication(application.applicationId, change), () =>
    record(deps, `Application ${application.clientId} changed: ${changed(change)}`),
  )
}

/** The names of the changed fields; for `disabled`, which way it changed. */
function changed({ disabled, ...policy }: ApplicationChange): string {
  const names = Object.keys(policy)
  if (disabled !== undefined) names.push(disabled ? 'disabled' : 'enabled')
  return names.join(', ')
}

/** Gives an application one more key. The others stay valid for `overlapSeconds`, so that clients can change over. */
export async function rotateApplicationKey(
  deps: Deps,
  application: Application,
  overlapSeconds: number,
): Promise<string> {
  const key = newApplicationKey()
  const othersExpireAtMs = deps.store.clock.nowMs() + overlapSeconds * 1000
  await deps.store.addApplicationKey(application.applicationId, hashApplicationKey(key), othersExpireAtMs)
  record(deps, `Application ${application.clientId} has a new key`)
  return key
}

function record(deps: Deps, message: string): void {
  deps.events.action({ accountId: SYSTEM, code: 'Applications->change', message })
}
