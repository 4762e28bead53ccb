/** Accounts of the original are imported completely, and every change that an import has to make is reported. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createDateFormat } from '../../src/core/dates.ts'
import { type DuktigPhpUser, convertUser } from '../../src/usecases/duktig-php-user.ts'
import { type DuktigPhpReport, importDuktigPhp } from '../../src/usecases/import-duktig-php.ts'
import { phpHash } from '../support/legacy.ts'
import { ENGINES, type LegacySite, openLegacySite } from '../support/legacy-site.ts'

const BCRYPT = `$2y$10$${'e'.repeat(53)}`

function aUser(differs: Partial<DuktigPhpUser> = {}): DuktigPhpUser {
  return {
    userId: 7,
    firstName: 'Ani',
    lastName: 'Sarkis',
    email: 'Ani@example.com',
    password: BCRYPT,
    phone: '+374 10 000000',
    comment: null,
    dateRegistered: '2019-07-21 00:09:07',
    dateLastUpdate: '2019-08-01 12:00:00',
    dateLastLogin: '2019-11-15 11:55:37',
    roleId: 4,
    status: 1,
    ...differs,
  }
}

const berlin = createDateFormat('Europe/Berlin')

describe('an account of the original', () => {
  test('keeps id, address, dates and bcrypt hash, and takes tokens of the original', () => {
    const { account, password, notes } = convertUser(aUser({ comment: 'Ճամփորդ 🚲' }), berlin)
    assert.deepEqual(account, {
      accountId: 7,
      firstName: 'Ani',
      lastName: 'Sarkis',
      email: 'Ani@example.com',
      phone: '+374 10 000000',
      comment: 'Ճամփորդ 🚲',
      roleId: 4,
      status: 1,
      registeredAtMs: Date.UTC(2019, 6, 20, 22, 9, 7),
      updatedAtMs: Date.UTC(2019, 7, 1, 10),
      lastSignInAtMs: Date.UTC(2019, 10, 15, 10, 55, 37),
      takesLegacyTokens: true,
    })
    assert.deepEqual(password, { kind: 'hash', hash: BCRYPT })
    assert.deepEqual(notes, [])
  })

  const rows: readonly (readonly [
    name: string,
    differs: Partial<DuktigPhpUser>,
    notes: readonly string[],
  ])[] = [
    ['without a role becomes a client', { roleId: null }, ['no-role']],
    ['with an unknown role becomes a client', { roleId: 0 }, ['no-role']],
    ['with the highest role is pointed out', { roleId: 1 }, ['super-admin']],
    ['without a status is not verified', { status: null }, ['no-status']],
    ['with an unknown status is not verified', { status: 9 }, ['no-status']],
    ['with a short name keeps it', { firstName: 'A' }, ['odd-first-name']],
    ['without names is taken over', { firstName: null, lastName: '' }, ['odd-first-name', 'odd-last-name']],
    ['with a long phone number keeps it', { phone: '+'.repeat(25) }, ['odd-phone']],
    ['without a phone number is taken over', { phone: null }, ['odd-phone']],
    ['with a long comment keeps it', { comment: 'x'.repeat(5000) }, ['odd-comment']],
    ['with an address that is none keeps it', { email: 'ani@localhost' }, ['bad-email']],
    ['with an address of 100 characters is fine', { email: `${'a'.repeat(60)}@${'b'.repeat(35)}.com` }, []],
    ['with NUL in a text loses it', { comment: 'a\0b' }, ['nul-removed']],
    ['registered on no day', { dateRegistered: '0000-00-00 00:00:00' }, ['no-date-registered']],
    ['registered nobody knows when', { dateRegistered: null }, ['no-date-registered']],
    ['changed on the 31st of February', { dateLastUpdate: '2019-02-31 10:00:00' }, ['no-date-last-update']],
    ['never changed and never signed in', { dateLastUpdate: null, dateLastLogin: null }, []],
    ['with parts of seconds in a date', { dateLastLogin: '2019-11-15 11:55:37.000000' }, []],
    ['without a password', { password: null }, ['no-password']],
    ['with an empty password', { password: '' }, ['no-password']],
    ['with a plain password', { password: 'Secret-1' }, ['plain-password']],
    ['with a plain password of blanks', { password: '  Ab 1 ' }, ['plain-password']],
    ['with a weak plain password', { password: 'secret' }, ['plain-password', 'weak-password']],
    ['with the hash of another program', { password: '$1$abc$def' }, ['unknown-hash']],
    ['with an MD5 of the password', { password: '5f4dcc3b5aa765d61d8327deb882cf99' }, ['unknown-hash']],
    ['with the hash of a user of MySQL', { password: `*${'94BDCEBE'.repeat(5)}` }, ['unknown-hash']],
    ['with a hash cut off', { password: BCRYPT.slice(0, 40) }, ['unknown-hash']],
    ['with a plain password that begins like a price', { password: '$100 or less' }, ['plain-password']],
  ]
  for (const [name, differs, expected] of rows) {
    test(name, () => assert.deepEqual(convertUser(aUser(differs), berlin).notes, expected))
  }
})

for (const engine of ENGINES) {
  describe(`the accounts of the original on ${engine}`, () => {
    let site: LegacySite | undefined
    before(async () => {
      site = await openLegacySite(engine)
    })
    after(() => site?.close())
    let hashed = 0
    const take = (users: readonly DuktigPhpUser[], dryRun = false): Promise<DuktigPhpReport> => {
      assert.ok(site !== undefined)
      const progress = (done: number) => {
        hashed = done
      }
      return importDuktigPhp(site.deps, users, berlin, { dryRun, progress })
    }
    const store = () => (site as LegacySite).deps.store
    const users = async () => [
      aUser({ userId: 21, password: await phpHash('Old-Secret-1') }),
      aUser({ userId: 22, email: 'b@example.com', password: 'Plain-Secret-2', roleId: null }),
      aUser({ userId: 4_000_000_000, email: 'c@example.com', password: null, status: null }),
    ]

    test('a dry run tells everything and writes nothing', async () => {
      const report = await take(await users(), true)
      assert.equal(report.count, 3)
      assert.deepEqual(Object.fromEntries(report.notes), {
        'plain-password': [22],
        'no-password': [4_000_000_000],
        'no-role': [22],
        'no-status': [4_000_000_000],
      })
      assert.deepEqual(report.conflicts, [])
      assert.deepEqual(await store().listAccounts(0, 10), [])
      assert.equal(hashed, 0)
    })

    test('all come over; old and plain passwords open them, nothing else does', async () => {
      assert.deepEqual((await take(await users())).conflicts, [])
      assert.equal(hashed, 1)
      const { passwords } = (site as LegacySite).deps
      const hashOf = async (id: number) => (await store().findAccountWithPassword(id))?.passwordHash ?? ''
      assert.equal(await passwords.verify(await hashOf(21), 'Old-Secret-1'), true)
      assert.match(await hashOf(22), /^\$argon2id\$/)
      assert.equal(await passwords.verify(await hashOf(22), 'Plain-Secret-2'), true)
      assert.match(await hashOf(4_000_000_000), /^\$argon2id\$/)
      assert.equal(await passwords.verify(await hashOf(4_000_000_000), ''), false)
      const nobody = (await store().findAccount(4_000_000_000)) ?? assert.fail()
      assert.deepEqual([nobody.roleId, nobody.status, nobody.version], [4, 0, 1])
    })

    test('a second run is refused and names what is taken', async () => {
      const again = [
        aUser({ userId: 21, email: 'new@example.com' }),
        aUser({ userId: 99, email: 'B@EXAMPLE.COM' }),
      ]
      assert.deepEqual((await take(again)).conflicts, [
        { userId: 21, why: 'id-taken', otherId: 21 },
        { userId: 99, why: 'email-taken', otherId: 22 },
      ])
      assert.equal(await store().findAccount(99), null)
    })

    test('accounts that stand in each other’s way are all named, and none comes over', async () => {
      const many = [
        aUser({ userId: 31, email: 'x@example.com' }),
        aUser({ userId: 32, email: 'X@example.com' }),
        aUser({ userId: 31, email: 'y@example.com' }),
        aUser({ userId: 33, email: null }),
        aUser({ userId: 0, email: 'z@example.com' }),
      ]
      assert.deepEqual((await take(many)).conflicts, [
        { userId: 32, why: 'email-twice', otherId: 31 },
        { userId: 31, why: 'id-twice', otherId: 31 },
        { userId: 33, why: 'no-email', otherId: null },
        { userId: 0, why: 'bad-id', otherId: null },
      ])
      assert.equal(await store().findAccount(31), null)
    })

    test('an account registered after the import gets an id of its own', async () => {
      const account = { ...aUser(), comment: null, roleId: 4, status: 1, passwordHash: 'hash' } as const
      const created = await store().createAccount({
        ...account,
        firstName: 'Nare',
        lastName: 'Petros',
        email: 'nare@example.com',
        phone: '000000',
      })
      assert.ok(created !== 'email-taken' && created.accountId > 4_000_000_000)
    })
  })
}
