/** What happened, for the audit trail, the log and the metrics. Recording never waits and never fails. */

/** The contract's list of action codes (section 7), and what is only counted. */
export type ActionCode =
  | 'Auth->Authorize'
  | 'Auth->SignOut'
  | 'Auth->SessionEnded'
  | 'Auth->Refused'
  | 'Auth->Locked'
  | 'User->registerAccount'
  | 'User->getAccount'
  | 'User->updateAccount'
  | 'User->patchAccount'
  | 'User->getSessions'
  | 'User->endSessions'
  | 'Users->getAccounts'
  | 'Users->getAccount'
  | 'Users->registerAccount'
  | 'Users->updateAccount'
  | 'Users->patchAccount'
  | 'Users->terminateAccount'
  | 'Users->getUserActions'
  | 'Users->endSessions'
  | 'UserActions->getUserActionsStats'
  | 'AppLogs->appLogs'
  | 'Keys->rotate'
  | 'Applications->change'
  | 'Store->recovered'

/** Reading and looking. Everything else is a security event: logged, and dropped only when neither store nor disk takes it. */
const EVERYDAY: ReadonlySet<ActionCode> = new Set<ActionCode>([
  'User->getAccount',
  'User->getSessions',
  'Users->getAccounts',
  'Users->getAccount',
  'Users->getUserActions',
  'UserActions->getUserActionsStats',
  'AppLogs->appLogs',
])

export function isEveryday(code: ActionCode): boolean {
  return EVERYDAY.has(code)
}

export interface Action {
  /** The account that acted; `GUEST` for requests without one, `SYSTEM` for the command line and jobs. */
  readonly accountId: number
  readonly code: ActionCode
  readonly message: string
  readonly sessionId?: string | null
  readonly address?: string | null
  /** Somebody may be attacking: logged as a warning. */
  readonly isSuspicious?: boolean
}

/** What a refresh came to, for the counters. */
export const REFRESH_RESULTS = ['kept', 'advanced', 'recovered', 'repeated', 'reuse', 'refused'] as const
export type RefreshResult = (typeof REFRESH_RESULTS)[number]

export interface Events {
  /** Something that somebody did. */
  action(action: Action): void
  /** A refresh: counted, not listed. */
  refresh(result: RefreshResult): void
  /** A key that is unknown, has ended or is of a disabled application: logged now and then, not listed. */
  unknownKey(address: string): void
  /** A token that is none of ours, or none any more: logged now and then, not listed. */
  invalidToken(address: string): void
  /** Settles when the actions of before can be read, or the store has refused them. */
  flush(): Promise<void>
}
