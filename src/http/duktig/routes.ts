/** The Duktig face on one screen: every route of the contract. */
import type { HttpRoute } from '../route.ts'
import { patchOwnAccountRoute, replaceOwnAccountRoute } from './change-own-account.ts'
import { type DuktigRoute, type Face, httpRoute } from './face.ts'
import { ownSessionRoutes } from './own-sessions.ts'
import { pingRoute } from './ping.ts'
import { readOwnAccountRoute } from './read-own-account.ts'
import { refreshTokenRoute } from './refresh-token.ts'
import { registerAccountRoute } from './register-account.ts'
import { signInRoutes } from './sign-in.ts'
import { signOutRoute } from './sign-out.ts'
import { statsRoutes } from './stats.ts'
import { listActionsRoute } from './users/actions.ts'
import { patchAccountRoute, replaceAccountRoute } from './users/change.ts'
import { createAccountRoute } from './users/create.ts'
import { listAccountsRoute } from './users/list.ts'
import { readAccountRoute } from './users/read.ts'
import { sessionRoutes } from './users/sessions.ts'
import { terminateAccountRoute } from './users/terminate.ts'
import { verifyRoute } from './verify.ts'

const ROUTES: readonly DuktigRoute[] = [
  ...signInRoutes,
  refreshTokenRoute,
  signOutRoute,
  verifyRoute,

  registerAccountRoute,
  readOwnAccountRoute,
  replaceOwnAccountRoute,
  patchOwnAccountRoute,
  ...ownSessionRoutes,

  listAccountsRoute,
  createAccountRoute,
  readAccountRoute,
  replaceAccountRoute,
  patchAccountRoute,
  terminateAccountRoute,
  ...sessionRoutes,
  listActionsRoute,

  ...statsRoutes,

  pingRoute,
]

export function duktigRoutes(face: Face): readonly HttpRoute[] {
  return ROUTES.map((route) => httpRoute(face, route))
}
