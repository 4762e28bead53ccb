/** A test service with an administrator who reads what has been recorded. */
import assert from 'node:assert/strict'
import type { Account } from '../../src/core/account.ts'
import { type Tokens, addAccount, signIn } from './people.ts'
import { sendJson } from './raw-http.ts'
import { type TestService, UNLIMITED, startTestService } from './service.ts'

export interface Listed {
  readonly dateAction: string
  readonly actionCode: string
  readonly actionMessage: string
}

/** The query for all actions, up to the maximum of one answer. */
export const ALL = 'offset=0&limit=1000&dateFrom=0&dateTo=4102444800'

export class Administrator {
  readonly service: TestService
  readonly account: Account
  /** The headers of the administrator's requests. */
  readonly headers: Readonly<Record<string, string>>

  private constructor(service: TestService, account: Account, tokens: Tokens) {
    this.service = service
    this.account = account
    this.headers = { 'Access-Token': tokens.accessToken }
  }

  static async start(): Promise<Administrator> {
    const service = await startTestService({ ...UNLIMITED, DUKTIG_REGISTRATION_STATUS: '1' })
    const account = await addAccount(service, { roleId: 1 })
    return new Administrator(service, account, await signIn(service, account.email))
  }

  send(method: string, path: string, body?: object): ReturnType<typeof sendJson> {
    return sendJson(this.service.address, method, path, this.headers, body)
  }

  /** The actions of an account, newest first. */
  async listed(userId: number, query = ALL): Promise<Listed[]> {
    const { status, body } = await this.send('GET', `/users/${userId}/actions?${query}`)
    assert.equal(status, 200, JSON.stringify(body))
    return body as unknown as Listed[]
  }

  /** What `act` adds to the actions of an account, oldest first. */
  async added(userId: number, act: () => Promise<unknown>): Promise<Listed[]> {
    const before = await this.listed(userId)
    await act()
    const after = await this.listed(userId)
    const more = after.slice(0, after.length - before.length).toReversed()
    // Listing is itself an action of the administrator: `after` also has the listing that made `before`.
    return userId === this.account.accountId ? more.slice(1) : more
  }

  /** Creates a client and signs it in. */
  async somebody(): Promise<{ account: Account; headers: Record<string, string>; tokens: Tokens }> {
    const account = await addAccount(this.service)
    const tokens = await signIn(this.service, account.email)
    return { account, headers: { 'Access-Token': tokens.accessToken }, tokens }
  }
}

export function codes(actions: readonly Listed[]): string[] {
  return actions.map(({ actionCode }) => actionCode)
}
