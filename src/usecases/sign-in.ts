import { STATUS, emailKey } from '../core/account.ts'
import type { Application } from '../core/application.ts'
import { type Denial, TRY_AGAIN, deny, isDenial } from '../core/denial.ts'
import { type Device, accessTtlSeconds } from '../core/session.ts'
import { type HashPlace, isOutdatedHash, provesWhole } from '../passwords/passwords.ts'
import { Overloaded } from '../passwords/work-queue.ts'
import { LIMITS } from '../settings/limits.ts'
import type { CountedAttempt } from '../store/guard-store.ts'
import type { AccountWithPassword, OpenSessionOutcome } from '../store/store.ts'
import { mintAccessToken } from '../tokens/access-token.ts'
import { randomId } from '../tokens/random-id.ts'
import { mintRefreshToken } from '../tokens/refresh-token.ts'
import { mintDeviceToken } from '../tokens/device-token.ts'
import type { Deps } from './deps.ts'
import { GUEST } from '../core/actions.ts'
import { told } from './told.ts'
import { guardSignIn, passwordWasRight, signInSucceeded } from './guard-sign-in.ts'
import { sessionsEnded } from './sessions-ended.ts'

export interface SignInRequest {
  readonly application: Application
  readonly email: string
  readonly password: string
  readonly device: Device
  /** The device token of an earlier sign-in; empty if none was sent. */
  readonly deviceToken: string
}

export interface SignedIn {
  readonly accessToken: string
  /** Seconds since 1970. */
  readonly expiresAtSeconds: number
  readonly refreshToken: string
  /** For the device to store and send with its next sign-in. */
  readonly deviceToken: string
  /** When the account signed in before; null for its first sign-in. */
  readonly previousSignInAtMs: number | null
}

/** Tries before a sign-in gives up; one fails when account or application changed while the password was checked. */
const TRIES = 3

/**
 * Opens a session for an e-mail address and a password. An unknown address takes as long as a wrong password, and only
 * the right password reveals that an account is not active.
 * Denials: `credentials-wrong`, `account-inactive`, `too-many-attempts`, `try-again`. @throws {Overloaded}
 */
export async function signIn(deps: Deps, request: SignInRequest): Promise<SignedIn | Denial> {
  const { address } = request.device
  const attempt = { email: request.email, address, deviceToken: request.deviceToken }
  // Reserved before the attempt is counted: a caller who is refused because the queue is full has guessed nothing.
  using place = deps.passwords.queue.reserve()
  for (let tries = 0; tries < TRIES; tries++) {
    const found = await deps.store.findAccountByEmail(request.email)
    const counted = tries === 0 ? await guardSignIn(deps, attempt, found) : null
    if (counted !== null && isDenial(counted)) return counted
    const account = await checkPassword(deps, place, request, found, counted)
    if (account === null) {
      deps.events.action({
        accountId: GUEST,
        code: 'Auth->Refused',
        message: 'Incorrect credentials',
        address,
      })
      return deny('credentials-wrong')
    }
    if (account.status !== STATUS.active) {
      const { accountId } = account
      deps.events.action({ accountId, code: 'Auth->Refused', message: 'Account not active', address })
      if (tries === 0) await passwordWasRight(deps, attempt)
      return deny('account-inactive')
    }
    if (tries === 0) await signInSucceeded(deps, attempt, account.accountId)
    await renewHash(deps, account, request.password)
    const { accountId } = account
    const outcome = await told(open(deps, request, account), (opened) => {
      if (opened.kind === 'opened')
        sessionsEnded(deps.events, { accountId, address }, opened.endedSessions, 'session-limit')
    })
    if (outcome.kind === 'opened') return signedIn(deps, request, outcome)
  }
  return TRY_AGAIN
}

/** The account, or null if the password is wrong. For an unknown address, checking a decoy takes the same time. */
async function checkPassword(
  deps: Deps,
  place: HashPlace,
  { email, password }: SignInRequest,
  account: AccountWithPassword | null,
  counted: CountedAttempt | null,
): Promise<AccountWithPassword | null> {
  const hash = account?.passwordHash ?? deps.decoys.hashFor(emailKey(email))
  try {
    return (await deps.passwords.verify(hash, password, place)) ? account : null
  } catch (error) {
    // The password was never checked. Were the attempt counted, callers who retry as they are told would be locked out.
    if (counted !== null) await deps.store.takeBackAttempt(counted)
    throw error
  }
}

/**
 * Replaces a hash of another program, or with other parameters, while the password is known. An overloaded queue does
 * not fail the sign-in.
 */
async function renewHash(deps: Deps, account: AccountWithPassword, password: string): Promise<void> {
  // bcrypt reads only 72 bytes: a typing error beyond them would become part of the password.
  if (!isOutdatedHash(account.passwordHash) || !provesWhole(account.passwordHash, password)) return
  let passwordHash: string
  try {
    passwordHash = await deps.passwords.hash(password)
  } catch (error) {
    // A later sign-in will renew the hash.
    if (error instanceof Overloaded) return
    throw error
  }
  const { accountId, version } = account
  await deps.store.changeAccount(accountId, { passwordHash }, { ifVersion: version, silent: true })
}

function open(deps: Deps, request: SignInRequest, account: AccountWithPassword): Promise<OpenSessionOutcome> {
  return deps.store.openSession({
    sessionId: randomId(),
    accountId: account.accountId,
    accountVersion: account.version,
    application: request.application,
    kid: deps.keys.signer('refresh').kid,
    amr: ['pwd'],
    device: request.device,
    maxLiveSessions: LIMITS.liveSessionsPerAccount,
  })
}

async function signedIn(
  deps: Deps,
  request: SignInRequest,
  opened: OpenSessionOutcome & { kind: 'opened' },
): Promise<SignedIn> {
  const { session, account } = opened
  const { keys, names, events } = deps
  const { address } = request.device
  const { accountId } = account
  const { sessionId } = session
  events.action({ accountId, code: 'Auth->Authorize', message: 'Signed in successfully', sessionId, address })
  const ttlSeconds = accessTtlSeconds(session, request.application, session.createdAtMs)
  const access = mintAccessToken(
    keys.signer('access'),
    names,
    session,
    account,
    ttlSeconds,
    session.createdAtMs,
  )
  const refreshKey = await keys.refreshKey(session.kid)
  return {
    accessToken: access.token,
    expiresAtSeconds: access.expiresAtSeconds,
    refreshToken: mintRefreshToken(refreshKey, names, session),
    deviceToken: mintDeviceToken(keys.signer('device'), names, accountId, session.createdAtMs),
    previousSignInAtMs: opened.previousSignInAtMs,
  }
}
