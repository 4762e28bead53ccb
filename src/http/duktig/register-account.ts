import { registerAccount } from '../../usecases/register-account.ts'
import { denialAnswer } from './denials.ts'
import { type DuktigRoute, done } from './face.ts'
import { email, firstName, lastName, newPassword, phone } from './rules.ts'
import { doneSchema } from './schemas.ts'

const MESSAGE = 'Signed up successfully'

/** `POST /user`. */
export const registerAccountRoute: DuktigRoute<'application'> = {
  method: 'POST',
  path: '/user',
  operationId: 'registerAccount',
  tag: 'Account',
  summary: 'Register an account',
  description:
    'The account starts with role 4 (client) and the status that the settings give, 0 (not verified) by default.',
  credential: 'application',
  body: { fields: { firstName, lastName, email, password: newPassword, phone }, keys: 'exact' },
  success: doneSchema(MESSAGE),
  hasRoom: ({ passwords }) => passwords.queue.hasRoom,
  async handle(face, { request, body }) {
    const accountId = await registerAccount(face.deps, {
      firstName: body['firstName'] as string,
      lastName: body['lastName'] as string,
      email: body['email'] as string,
      password: body['password'] as string,
      phone: body['phone'] as string,
      address: request.address,
    })
    return typeof accountId === 'number' ? done(MESSAGE) : denialAnswer(accountId)
  },
}
