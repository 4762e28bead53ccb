import { isDenial } from '../../core/denial.ts'
import { changeAccount } from '../../usecases/change-account.ts'
import { OWN_FIELDS, editOf } from './account-body.ts'
import { denialAnswer } from './denials.ts'
import { type Call, type DuktigRoute, type Face, actionBy, done } from './face.ts'
import { doneSchema } from './schemas.ts'

const common = {
  path: '/user',
  tag: 'Account',
  credential: 'access',
  denials: [404],
  mayKeepPassword: true,
  description:
    'A new password ends all other sessions of the account; the current one sent again ends none and stays as it is.',
} as const

async function change(
  face: Face,
  call: Call<'access'>,
  code: 'User->updateAccount' | 'User->patchAccount',
  message: string,
) {
  const by = actionBy(call, code, message)
  const changed = await changeAccount(face.deps, by, call.caller.account.accountId, editOf(call.body))
  return isDenial(changed) ? denialAnswer(changed) : done(message)
}

/** `PUT /user`. */
export const replaceOwnAccountRoute: DuktigRoute<'access'> = {
  ...common,
  method: 'PUT',
  operationId: 'replaceOwnAccount',
  summary: 'Change all of your own account',
  body: { fields: OWN_FIELDS, keys: 'exact', required: true },
  success: doneSchema('Updated successfully'),
  handle: (face, call) => change(face, call, 'User->updateAccount', 'Updated successfully'),
}

/** `PATCH /user`. */
export const patchOwnAccountRoute: DuktigRoute<'access'> = {
  ...common,
  method: 'PATCH',
  operationId: 'patchOwnAccount',
  summary: 'Change some of your own account',
  body: { fields: OWN_FIELDS, keys: 'patch' },
  success: doneSchema('Patched successfully'),
  handle: (face, call) => change(face, call, 'User->patchAccount', 'Patched successfully'),
}
