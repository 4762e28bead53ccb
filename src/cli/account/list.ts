import { Command } from 'commander'
import { createDateFormat } from '../../core/dates.ts'
import { LIMITS } from '../../settings/limits.ts'
import { type Context, withDeps } from '../context.ts'
import { printTable } from '../terminal.ts'
import { roleName, statusName } from './choose.ts'

/** `duktig account list`: lists all accounts by id. */
export function listCommand(context: Context): Command {
  return new Command('list').description('list all accounts').action(async () => {
    const dates = createDateFormat(context.settings().timeZone)
    await withDeps(context, async ({ deps }) => {
      let heading: readonly string[] = ['id', 'e-mail', 'role', 'status', 'registered', 'last sign-in']
      for (let offset = 0; ; offset += LIMITS.accountsListed) {
        const accounts = await deps.store.listAccounts(offset, LIMITS.accountsListed)
        const rows = accounts.map((account) => [
          String(account.accountId),
          account.email,
          roleName(account.roleId),
          statusName(account.status),
          dates.format(account.registeredAtMs),
          dates.format(account.lastSignInAtMs) ?? 'never',
        ])
        if (offset === 0 || rows.length > 0) printTable(heading, rows)
        heading = heading.map(() => '')
        if (accounts.length < LIMITS.accountsListed) return
      }
    })
  })
}
