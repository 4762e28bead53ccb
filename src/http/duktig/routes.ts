/** The Duktig face on one screen: every route of the contract. */
import type { HttpRoute } from '../route.ts'
import { type DuktigRoute, type Face, httpRoute } from './face.ts'
import { pingRoute } from './ping.ts'
import { readOwnAccountRoute } from './read-own-account.ts'
import { refreshTokenRoute } from './refresh-token.ts'
import { registerAccountRoute } from './register-account.ts'
import { signInRoutes } from './sign-in.ts'

const ROUTES: readonly DuktigRoute[] = [
  ...signInRoutes,
  refreshTokenRoute,
  registerAccountRoute,
  readOwnAccountRoute,
  pingRoute,
]

export function duktigRoutes(face: Face): readonly HttpRoute[] {
  return ROUTES.map((route) => httpRoute(face, route))
}
