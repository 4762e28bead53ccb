import { Command } from 'commander'
import { isDenial } from '../../core/denial.ts'
import { type AccountEdit, changeAccount } from '../../usecases/change-account.ts'
import { type Context, withDeps } from '../context.ts'
import { print } from '../terminal.ts'
import {
  BY_SYSTEM,
  ROLE_NAMES,
  STATUS_NAMES,
  findAccount,
  refused,
  roleName,
  roleOf,
  statusName,
  statusOf,
} from './choose.ts'

/** `duktig account set-status`: any status but active ends the account's sessions. */
export function setStatusCommand(context: Context): Command {
  return new Command('set-status')
    .description(
      'change the status of an account; anything but active ends its sessions; terminated cannot be undone',
    )
    .argument('<account>', 'id or e-mail address')
    .argument('<status>', STATUS_NAMES)
    .action((account: string, status: string) => change(context, account, { status: statusOf(status) }))
}

/** `duktig account set-role`: the new role applies from the account's next request on. */
export function setRoleCommand(context: Context): Command {
  return new Command('set-role')
    .description('change the role of an account')
    .argument('<account>', 'id or e-mail address')
    .argument('<role>', ROLE_NAMES)
    .action((account: string, role: string) => change(context, account, { roleId: roleOf(role) }))
}

async function change(context: Context, idOrEmail: string, edit: AccountEdit): Promise<void> {
  await withDeps(context, async ({ deps }) => {
    const { accountId } = await findAccount(deps, idOrEmail)
    const by = { ...BY_SYSTEM, code: 'Users->patchAccount', message: `Account ${accountId} changed` } as const
    const account = await changeAccount(deps, by, accountId, edit)
    if (isDenial(account)) throw refused(account)
    print(
      `Account ${accountId} (${account.email}) is ${statusName(account.status)}, ${roleName(account.roleId)}.`,
    )
  })
}
