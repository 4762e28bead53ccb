/** Who may do what: the table of roles, and the answer to each credential for each way in (contract, section 2). */
import { ROLE, type RoleId } from '../../src/core/account.ts'
import type { Credential } from './credentials.ts'

/** Admitted, or refused with a status and a message. */
export type Verdict = 'admitted' | readonly [status: number, message: string]

export type WayIn =
  /** Anybody. */
  | 'open'
  /** The key of an application. */
  | 'key'
  /** An access token. */
  | 'access'
  /** A refresh token. */
  | 'refresh'
  /** Either token of the session. */
  | 'either'

export interface Rule {
  readonly wayIn: WayIn
  readonly roles: readonly RoleId[]
}

const EVERYBODY = Object.values(ROLE)
const open: Rule = { wayIn: 'open', roles: EVERYBODY }
const byKey: Rule = { wayIn: 'key', roles: EVERYBODY }
const own: Rule = { wayIn: 'access', roles: EVERYBODY }
const administration: Rule = { wayIn: 'access', roles: [ROLE.superAdmin] }

/** A route that is in the reference but not here fails the test, because it has no rule about who may use it. */
export const RULES: Readonly<Record<string, Rule>> = {
  signIn: byKey,
  signInByOldPath: byKey,
  registerAccount: byKey,

  refreshToken: { wayIn: 'refresh', roles: EVERYBODY },
  signOut: { wayIn: 'either', roles: EVERYBODY },
  verify: own,

  readOwnAccount: own,
  replaceOwnAccount: own,
  patchOwnAccount: own,
  listOwnSessions: own,
  endOwnSession: own,
  endOwnSessions: own,

  listAccounts: administration,
  createAccount: administration,
  readAccount: administration,
  replaceAccount: administration,
  patchAccount: administration,
  terminateAccount: administration,
  listSessions: administration,
  endSession: administration,
  endSessions: administration,
  listActions: administration,
  userActionStats: administration,
  appLogStats: administration,

  ping: open,
  keySet: open,
  live: open,
  liveHead: open,
  ready: open,
  readyHead: open,
  openapi: open,
  docs: open,
}

const OPEN = Object.keys(RULES).filter((operationId) => RULES[operationId] === open)

/** Routes whose credential the reference describes as headers, because it is optional or one of several. */
export const WITHOUT_SECURITY = ['refreshToken', 'signOut', 'verify', ...OPEN]

const MISSING = [401, 'Unauthorized'] as const
const INVALID = [401, 'Invalid token'] as const
const EXPIRED = [401, 'Access-Token Expired'] as const
const INACTIVE = [403, 'Due to the status of your account, you are not able to access this resource'] as const
const FORBIDDEN = [403, 'Forbidden'] as const

/** The answer of a route with `rule` to `credential`. */
export function verdict(rule: Rule, credential: Credential): Verdict {
  switch (rule.wayIn) {
    case 'open':
      return 'admitted'
    case 'key':
      return opens(credential) ? 'admitted' : MISSING
    case 'access':
      return byToken(rule, credential, credential.access)
    case 'refresh':
      // The key is optional, but if one is sent, it must be good, and that of the token's application.
      if (credential.refresh !== 'none' && credential.key !== 'none' && !opens(credential)) return MISSING
      if (credential.refresh === 'good' && credential.key === 'of-another-application') return MISSING
      return byToken(rule, credential, credential.refresh)
    case 'either':
      return byToken(rule, credential, credential.refresh === 'none' ? credential.access : credential.refresh)
  }
}

function opens({ key }: Credential): boolean {
  return key === 'good' || key === 'of-another-application'
}

function byToken(rule: Rule, credential: Credential, token: Credential['access']): Verdict {
  if (token === 'none') return MISSING
  if (token === 'forged' || token === 'of-another-kind') return INVALID
  if (token === 'expired') return EXPIRED
  if (credential.status !== 1) return INACTIVE
  if (credential.session === 'ended') return INVALID
  return rule.roles.includes(credential.role) ? 'admitted' : FORBIDDEN
}
