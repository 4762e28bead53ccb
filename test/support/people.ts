/** People who use a test service: accounts made through the use cases, everything else over HTTP. */
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import type { Account } from '../../src/core/account.ts'
import { isDenial } from '../../src/core/denial.ts'
import { type AccountToCreate, createAccount } from '../../src/usecases/create-account.ts'
import { SYSTEM } from '../../src/core/actions.ts'
import { sendJson } from './raw-http.ts'
import { AUTH_KEY, type TestService, openBeside } from './service.ts'

export const PASSWORD = 'Correct-Horse-1'

/** The address of callers in tests that run a use case without HTTP. */
export const HERE = { address: '192.0.2.1' }

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
  /** Seconds since 1970. */
  readonly expiresIn: number
}

type JsonAnswer = { status: number; headers: IncomingHttpHeaders; body: Record<string, unknown> }

let people = 0

/** Creates an account: an active client with a unique e-mail address, unless `over` says otherwise. */
export async function addAccount(
  service: TestService,
  over: Partial<AccountToCreate> = {},
): Promise<Account> {
  const { deps, close } = await openBeside(service)
  try {
    const created = await createAccount(deps, { accountId: SYSTEM }, { ...aPerson(), ...over })
    assert.ok(!isDenial(created))
    return created
  } finally {
    await close()
  }
}

export function aPerson(): AccountToCreate {
  const email = `person-${++people}@example.com`
  const names = { firstName: 'Ani', lastName: 'Sarkis', phone: '37411223344', comment: null }
  return { ...names, email, password: PASSWORD, roleId: 4, status: 1 }
}

/** The answer to a sign-in, whatever its status. */
export function trySignIn(
  service: TestService,
  email: string,
  password = PASSWORD,
  headers: Readonly<Record<string, string>> = {},
): Promise<JsonAnswer> {
  return sendJson(
    service.address,
    'POST',
    '/auth/token',
    { 'X-Auth-Key': AUTH_KEY, ...headers },
    { email, password },
  )
}

export async function signIn(service: TestService, email: string, password = PASSWORD): Promise<Tokens> {
  const { status, body } = await trySignIn(service, email, password)
  assert.equal(status, 200, JSON.stringify(body))
  return {
    accessToken: body['access_token'] as string,
    refreshToken: body['refresh_token'] as string,
    expiresIn: body['expires_in'] as number,
  }
}

export function refresh(
  service: TestService,
  refreshToken: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<JsonAnswer> {
  return sendJson(service.address, 'POST', '/auth/refresh_token', {
    'Refresh-Token': refreshToken,
    ...headers,
  })
}

export function readOwn(service: TestService, accessToken: string): Promise<JsonAnswer> {
  return sendJson(service.address, 'GET', '/user', { 'Access-Token': accessToken })
}
