import { ROLE } from '../core/account.ts'
import { type Denial, deny } from '../core/denial.ts'
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
 * Registers an account for whoever asks: role client, status as the settings say. Its id.
 * Denials: `email-taken`. @throws {Overloaded}
 */
export async function registerAccount(deps: Deps, registration: Registration): Promise<number | Denial> {
  const { password, address, ...person } = registration
  const account = await deps.store.createAccount({
    ...person,
    comment: null,
    roleId: ROLE.client,
    status: deps.registrationStatus,
    passwordHash: await deps.passwords.hash(password),
  })
  if (account === 'email-taken') return deny('email-taken')
  const { accountId } = account
  deps.events.action({ accountId, code: 'User->registerAccount', message: 'Signed up successfully', address })
  return accountId
}
