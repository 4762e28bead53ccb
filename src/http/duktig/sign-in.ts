import { isDenial } from '../../core/denial.ts'
import { signIn } from '../../usecases/sign-in.ts'
import { json } from '../answer.ts'
import { header } from '../route.ts'
import { denialAnswer } from './denials.ts'
import { deviceOf } from './device.ts'
import type { DuktigRoute } from './face.ts'
import { email, password } from './rules.ts'
import { dateOrNull, object, tokenProperties } from './schemas.ts'

const MESSAGE = 'Signed in successfully'
/** The header that carries the device token, in requests and in answers. */
export const DEVICE_HEADER = 'X-Device-Token'

/** `POST /auth/token`, and the same operation under the path of the PHP original. */
export const signInRoutes: readonly DuktigRoute<'application'>[] = [
  ['/auth/token', 'signIn'] as const,
  ['/auth/login', 'signInByOldPath'] as const,
].map(([path, operationId]) => ({
  method: 'POST',
  path,
  operationId,
  tag: 'Authorization',
  summary: 'Sign in with e-mail and password',
  description:
    '`expires_in` is the absolute end of the access token in Unix seconds. 403 only after the right password.',
  credential: 'application',
  body: { fields: { email, password }, keys: 'exact', required: true, wholeBodyKey: 'account' },
  success: object({
    status: { const: 'OK' },
    message: { const: MESSAGE },
    lastLogin: dateOrNull,
    ...tokenProperties,
  }),
  denials: [403],
  hasRoom: ({ passwords }) => passwords.queue.hasRoom,
  extraHeaders: {
    'X-Device-Id': 'A label for the device, shown in the list of sessions.',
    [DEVICE_HEADER]:
      'The device token that an earlier sign-in returned in this header; lets a known device in while guesses are refused.',
  },
  successHeaders: { [DEVICE_HEADER]: 'The device token, to send with the next sign-in.' },
  async handle(face, { request, application, body }) {
    const signedIn = await signIn(face.deps, {
      application,
      email: body['email'] as string,
      password: body['password'] as string,
      device: deviceOf(request),
      deviceToken: header(request, DEVICE_HEADER.toLowerCase()),
    })
    if (isDenial(signedIn)) return denialAnswer(signedIn)
    const answer = {
      status: 'OK',
      message: MESSAGE,
      lastLogin: face.dates.format(signedIn.previousSignInAtMs),
      access_token: signedIn.accessToken,
      expires_in: signedIn.expiresAtSeconds,
      refresh_token: signedIn.refreshToken,
    }
    return json(200, answer, { [DEVICE_HEADER]: signedIn.deviceToken })
  },
}))
