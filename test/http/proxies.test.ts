/** The client's address: only a trusted proxy is believed about it, and it is never anything but an address. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Account } from '../../src/core/account.ts'
import { addAccount, trySignIn } from '../support/people.ts'
import { type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'

/** The address that the store records for a sign-in with these headers. */
async function recorded(
  service: TestService,
  { email, accountId }: Account,
  headers: Record<string, string>,
): Promise<string> {
  const { status } = await trySignIn(service, email, undefined, headers)
  assert.equal(status, 200)
  const { deps, close } = await openBeside(service)
  const [session] = await deps.store.listSessions(accountId, 1)
  await close()
  return session?.address ?? ''
}

type Row = [name: string, headers: Record<string, string>, address: string]

function check(variables: Record<string, string>, rows: readonly Row[]): void {
  let service: TestService
  let account: Account
  before(async () => {
    service = await startTestService({ ...UNLIMITED, ...variables })
    account = await addAccount(service)
  })
  after(() => service.stop())
  for (const [name, headers, address] of rows) {
    test(name, async () => assert.equal(await recorded(service, account, headers), address))
  }
}

const forwarded = (value: string) => ({ 'X-Forwarded-For': value })

describe('without trusted proxies the connection alone counts', () => {
  check({}, [
    ['where nothing is forwarded', {}, '127.0.0.1'],
    ['whatever is said to be forwarded', forwarded('203.0.113.9'), '127.0.0.1'],
    ['whatever other headers say', { 'X-Real-Ip': '203.0.113.9', Forwarded: 'for=203.0.113.9' }, '127.0.0.1'],
  ])
})

describe('a proxy that is not trusted is not believed', () => {
  check({ DUKTIG_TRUSTED_PROXIES: '192.0.2.1' }, [['on its word', forwarded('203.0.113.9'), '127.0.0.1']])
})

describe('a trusted proxy is believed', () => {
  check({ DUKTIG_TRUSTED_PROXIES: '127.0.0.0/8' }, [
    ['about an address', forwarded('203.0.113.9'), '203.0.113.9'],
    ['about an address of IPv6', forwarded('2001:db8::7'), '2001:db8::7'],
    [
      'about an address of IPv4 within IPv6, written the short way',
      forwarded('::ffff:203.0.113.9'),
      '203.0.113.9',
    ],
    [
      'about the last address, not what its client made up',
      forwarded('198.51.100.1, 203.0.113.9'),
      '203.0.113.9',
    ],
    ['about an address with a port', forwarded('203.0.113.9:1234'), '203.0.113.9'],
    ['about an address of IPv6 with a port', forwarded('[2001:db8::7]:1234'), '2001:db8::7'],
    ['past other trusted ones with ports', forwarded('203.0.113.9:1, 127.0.0.7:2'), '203.0.113.9'],
    ['past other trusted ones', forwarded('198.51.100.1, 203.0.113.9, 127.0.0.7'), '203.0.113.9'],
    ['in no other header', { 'X-Real-Ip': '203.0.113.9', Forwarded: 'for=203.0.113.9' }, '127.0.0.1'],
  ])
})

describe('nonsense that a trusted proxy passes on leaves the proxy itself', () => {
  const nonsense = [
    'unknown',
    '999.1.1.1',
    '203.0.113.9:port',
    '203.0.113.999:1234',
    '[2001:db8::7]1234',
    '[]:1234',
    '203.0.113.9; drop table sessions',
    "' or 1=1 --",
    '<script>',
    ',',
    ', ,',
    '\u00ff\u00fe',
    'a'.repeat(5000),
    `${'1,'.repeat(2000)}x`,
    'fe80::1%eth0/../../x',
  ]
  check(
    { DUKTIG_TRUSTED_PROXIES: '127.0.0.1, ::1' },
    nonsense.map((value): Row => [JSON.stringify(value.slice(0, 40)), forwarded(value), '127.0.0.1']),
  )
})
