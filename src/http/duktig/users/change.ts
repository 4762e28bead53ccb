import { isDenial } from '../../../core/denial.ts'
import { changeAccount } from '../../../usecases/change-account.ts'
import type { Answer } from '../../answer.ts'
import { ALL_FIELDS, PATCH_FIELDS, editOf } from '../account-body.ts'
import { denialAnswer } from '../denials.ts'
import { type Call, type DuktigRoute, type Face, actionBy, done } from '../face.ts'
import { doneSchema } from '../schemas.ts'
import { changeable, ofOneAccount } from './common.ts'

const common = {
  ...ofOneAccount,
  path: '/users/{userId}',
  target: changeable,
  denials: [422],
  description:
    'A new password or a status other than 1 ends the sessions of the account. The last active super admin stays one: 422. ' +
    'A terminated account stays as it is: 404.',
} as const

async function change(
  face: Face,
  call: Call<'access'>,
  code: 'Users->updateAccount' | 'Users->patchAccount',
  message: string,
): Promise<Answer> {
  const action = actionBy(call, code, `Account ${call.userId}: ${message}`)
  const by = { ...action, roles: common.roles }
  const changed = await changeAccount(face.deps, by, call.userId, editOf(call.body))
  return isDenial(changed) ? denialAnswer(changed) : done(message)
}

/** `PUT /users/{userId}`. */
export const replaceAccountRoute: DuktigRoute<'access'> = {
  ...common,
  method: 'PUT',
  operationId: 'replaceAccount',
  summary: 'Change all of an account',
  body: { fields: ALL_FIELDS, keys: 'exact' },
  success: doneSchema('Account Updated successfully'),
  handle: (face, call) => change(face, call, 'Users->updateAccount', 'Account Updated successfully'),
}

/** `PATCH /users/{userId}`. */
export const patchAccountRoute: DuktigRoute<'access'> = {
  ...common,
  method: 'PATCH',
  operationId: 'patchAccount',
  summary: 'Change some of an account; status 2 suspends it',
  body: { fields: PATCH_FIELDS, keys: 'patch' },
  success: doneSchema('Account Patched successfully'),
  handle: (face, call) => change(face, call, 'Users->patchAccount', 'Account Patched successfully'),
}
