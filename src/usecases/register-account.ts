import { ROLE } from '../core/account.ts'
import { GUEST } from '../core/actions.ts'
import { addressKey } from '../core/address.ts'
import { type Denial, deny, tooManyAttempts } from '../core/denial.ts'
import { REGISTRATION_BUCKET } from '../core/guessing.ts'
import type { Deps } from './deps.ts'

export interface Registration {
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  readonly password: string
  readonly phone: string
  readonly address: string
}

/**
 * Registers an account for an anonymous caller: role client, status from the settings. Returns the account's id.
 * Denials: `email-taken`, `too-many-attempts`. @throws {Overloaded}
 */
export async function registerAccount(deps: Deps, registration: Registration): Promise<number | Denial> {
  const { events } = deps
  const { password, address, ...person } = registration
  // Reserved before the attempt is counted: a caller who is refused because the queue is full may try again.
  using place = deps.passwords.queue.reserve()
  if (deps.rateLimits) {
    const waitMs = await deps.store.takeDrop(`register ${addressKey(address)}`, REGISTRATION_BUCKET)
    if (waitMs !== null) {
      const message = 'Too many registrations'
      events.action({ accountId: GUEST, code: 'Auth->Locked', message, address, isSuspicious: true })
      return tooManyAttempts(waitMs)
    }
  }
  const account = await deps.store.createAccount({
    ...person,
    comment: null,
    roleId: ROLE.client,
    status: deps.registrationStatus,
    passwordHash: await deps.passwords.hash(password, place),
  })
  if (account === 'email-taken') return deny('email-taken')
  const { accountId } = account
  events.action({ accountId, code: 'User->registerAccount', message: 'Signed up successfully', address })
  return accountId
}
