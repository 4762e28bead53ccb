/** What a change makes of an account: its fields, its version and its date of update. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Account, AccountChange } from '../../src/core/account.ts'
import { ROLE, STATUS, changedAccount, losesSuperAdmin } from '../../src/core/account.ts'
import { T0, anAccount } from '../support/sessions.ts'

const CLIENT: Account = {
  ...anAccount({ roleId: ROLE.client, status: STATUS.active }),
  phone: '+374 10 000000',
  comment: 'a comment',
  pinCode: null,
  version: 3,
  registeredAtMs: T0,
  updatedAtMs: null,
  lastSignInAtMs: null,
}
const ADMIN: Account = { ...CLIENT, roleId: ROLE.superAdmin }

const versionAfter = (change: AccountChange) => changedAccount(CLIENT, change, {}, T0 + 1).version

test('a change sets the given fields and the date of update, and no field that was left out', () => {
  const after = changedAccount(CLIENT, { firstName: 'Maria', comment: null }, {}, T0 + 1)
  assert.deepEqual(after, { ...CLIENT, firstName: 'Maria', comment: null, updatedAtMs: T0 + 1 })
})

test('a new password or another status raises the version by one, also both together', () => {
  assert.equal(versionAfter({ passwordHash: 'new' }), 4)
  assert.equal(versionAfter({ status: STATUS.suspended }), 4)
  assert.equal(versionAfter({ passwordHash: 'new', status: STATUS.suspended }), 4)
})

test('other changes, and the status that the account has, do not raise the version', () => {
  assert.equal(versionAfter({ email: 'other@example.com', roleId: ROLE.admin }), 3)
  assert.equal(versionAfter({ status: STATUS.active }), 3)
})

test('a silent change leaves version and date of update as they are', () => {
  assert.deepEqual(changedAccount(CLIENT, { passwordHash: 'better' }, { silent: true }, T0 + 1), CLIENT)
})

test('the hash of a password does not get into the account', () => {
  assert.ok(!('passwordHash' in changedAccount(CLIENT, { passwordHash: 'new' }, {}, T0 + 1)))
})

test('an active super admin is lost with another role or status, and nobody else is', () => {
  assert.ok(losesSuperAdmin(ADMIN, { ...ADMIN, roleId: ROLE.admin }))
  assert.ok(losesSuperAdmin(ADMIN, { ...ADMIN, status: STATUS.suspended }))
  assert.ok(!losesSuperAdmin(ADMIN, { ...ADMIN, firstName: 'Maria' }))
  const suspended = { ...ADMIN, status: STATUS.suspended }
  assert.ok(!losesSuperAdmin(suspended, { ...suspended, status: STATUS.terminated }))
  assert.ok(!losesSuperAdmin(CLIENT, { ...CLIENT, status: STATUS.suspended }))
})
