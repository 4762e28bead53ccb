/** Everything that ends a session, each done by the one who usually does it. */
import { randomUUID } from 'node:crypto'
import { changeApplication } from '../../src/usecases/applications.ts'
import { sendJson } from '../support/raw-http.ts'
import type { Scene } from './scene.ts'

export interface Ending {
  readonly what: string
  /** The reason that the holder of a token is told; null if the answer is about the account instead. */
  readonly reason: string | null
  /** Ends the session, at the first instance. Returns the status of the answer. */
  end(scene: Scene): Promise<number>
}

/** The holder of the session, the same account on another device, or an administrator. */
type Who = 'holder' | 'other' | 'administrator'

function call(
  method: string,
  who: Who,
  path: (scene: Scene) => string,
  body?: (scene: Scene) => object,
): Ending['end'] {
  return async (scene) => {
    const token = { holder: scene.accessToken, other: scene.otherAccessToken, administrator: scene.admin }[
      who
    ]
    const headers = { 'Access-Token': token }
    return (await sendJson(scene.addresses[0], method, path(scene), headers, body?.(scene))).status
  }
}

const user = (scene: Scene) => `/users/${scene.account.accountId}`
const newPassword = () => ({ password: `Horse-${randomUUID()}` })

export const ENDINGS: readonly Ending[] = [
  {
    what: 'signing out with the refresh token',
    reason: 'signed-out',
    end: async (scene) => {
      const headers = { 'Refresh-Token': scene.storage }
      return (await sendJson(scene.addresses[0], 'DELETE', '/auth/token', headers)).status
    },
  },
  {
    what: 'signing out with the access token',
    reason: 'signed-out',
    end: call('DELETE', 'holder', () => '/auth/token'),
  },
  {
    what: 'signing out everywhere',
    reason: 'ended-by-user',
    end: call('DELETE', 'other', () => '/account/sessions'),
  },
  {
    what: 'ending it from another device',
    reason: 'ended-by-user',
    end: call('DELETE', 'other', (scene) => `/account/sessions/${scene.sessionId}`),
  },
  {
    what: 'a new password from another device',
    reason: 'password-changed',
    end: call('PATCH', 'other', () => '/user', newPassword),
  },
  {
    what: 'a new password by an administrator',
    reason: 'password-changed',
    end: call('PATCH', 'administrator', user, newPassword),
  },
  {
    what: 'suspension',
    reason: null,
    end: call('PATCH', 'administrator', user, () => ({ status: 2 })),
  },
  {
    what: 'deactivation',
    reason: null,
    end: call('PATCH', 'administrator', user, () => ({ status: 0 })),
  },
  { what: 'termination', reason: null, end: call('DELETE', 'administrator', user) },
  {
    what: 'an administrator ending it',
    reason: 'ended-by-administrator',
    end: call('DELETE', 'administrator', (scene) => `${user(scene)}/sessions/${scene.sessionId}`),
  },
  {
    what: 'an administrator ending all sessions of the account',
    reason: 'ended-by-administrator',
    end: call('DELETE', 'administrator', (scene) => `${user(scene)}/sessions`),
  },
  {
    what: 'disabling the application',
    reason: 'application-disabled',
    end: async (scene) => {
      await changeApplication(scene.deps, scene.application, { disabled: true })
      return 200
    },
  },
]

/** Not an end, but as immediate: the next request has the new role. */
export const NEW_ROLE = 3
export const changeRole = call('PATCH', 'administrator', user, () => ({ roleId: NEW_ROLE }))
