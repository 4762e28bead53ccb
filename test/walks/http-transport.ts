import { sendJson } from '../support/raw-http.ts'
import type { Reply, Transport } from './site.ts'

/** Over HTTP, to two instances. */
export function overHttp(addresses: readonly [string, string]): Transport {
  return {
    async refresh(instance, token, attemptKey, key) {
      const headers = {
        'Refresh-Token': token,
        ...(attemptKey === null ? {} : { 'Idempotency-Key': attemptKey }),
        ...(key === null ? {} : { 'X-Auth-Key': key }),
      }
      return replyOf(await sendJson(addresses[instance], 'POST', '/auth/refresh_token', headers))
    },
    async verify(instance, accessToken) {
      const headers = { Authorization: `Bearer ${accessToken}` }
      return (await sendJson(addresses[instance], 'GET', '/auth/verify', headers)).status === 200
    },
    async signOut(instance, token) {
      const headers = { 'Refresh-Token': token }
      return (await sendJson(addresses[instance], 'DELETE', '/auth/token', headers)).status === 200
    },
  }
}

type Answer = Awaited<ReturnType<typeof sendJson>>

export function replyOf({ status, headers, body }: Answer): Reply {
  if (status === 200) {
    const { access_token: accessToken, refresh_token: refreshToken = null } = body
    return {
      kind: 'granted',
      accessToken: accessToken as string,
      refreshToken: refreshToken as string | null,
    }
  }
  const reason = headers['x-session-end-reason'] as string | undefined
  if (status === 401) return { kind: 'refused', reason: reason ?? 'unknown' }
  if (status === 403) return { kind: 'refused', reason: 'account-inactive' }
  return { kind: 'fault', message: `${status} ${JSON.stringify(body)}` }
}
