/** What happened, for the audit trail, the log and the metrics. Recording never waits and never fails. */

/** The contract's action codes (section 7), and those of our own. */
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

/**
 * Actions that only read. All others are security events: they are logged, and dropped only when neither the store nor
 * the disk can take them.
 */
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
  /** This may be an attack: logged as a warning. */
  readonly isSuspicious?: boolean
}

/** The outcomes of a refresh, for the counters. */
export const REFRESH_RESULTS = ['kept', 'advanced', 'recovered', 'repeated', 'reuse', 'refused'] as const
export type RefreshResult = (typeof REFRESH_RESULTS)[number]

export interface Events {
  /** Records an action. */
  action(action: Action): void
  /** Counts a refresh; it is not recorded as an action. */
  refresh(result: RefreshResult): void
  /**
   * Reports an application key that is unknown, has expired or belongs to a disabled application. Such keys are logged
   * in summary, not recorded as actions.
   */
  unknownKey(address: string): void
  /** Reports a token that does not verify, for example a forged one; also logged in summary. */
  invalidToken(address: string): void
  /** Reports a refresh token of the original whose signature is right and whose account key is not; in summary too. */
  wrongAccountKey(address: string): void
  /** Settles when the actions recorded before the call can be read, or the store has refused them. */
  flush(): Promise<void>
}
