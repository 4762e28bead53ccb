import { ROLE } from '../core/account.ts'
import { GUEST } from '../core/actions.ts'
import { addressKey } from '../core/address.ts'
import { type Denial, deny } from '../core/denial.ts'
import { REGISTRATION_BUCKET } from '../core/guessing.ts'
import type { Deps } from './deps.ts'
import { takeDrop } from './guard-sign-in.ts'

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
  const { password, address, ...person } = registration
  // Reserved before the attempt is counted: a caller who is refused because the queue is full may try again.
  using place = deps.passwords.queue.reserve()
  const by = { accountId: GUEST, message: 'Too many registrations', address }
  const denial = await takeDrop(deps, `register ${addressKey(address)}`, REGISTRATION_BUCKET, by)
  if (denial !== null) return denial
  const account = await deps.store.createAccount({
    ...person,
    comment: null,
    roleId: ROLE.client,
    status: deps.registrationStatus,
    passwordHash: await deps.passwords.hash(password, place),
  })
  if (account === 'email-taken') return deny('email-taken')
  const { accountId } = account
  deps.events.action({ accountId, code: 'User->registerAccount', message: 'Signed up successfully', address })
  return accountId
}
