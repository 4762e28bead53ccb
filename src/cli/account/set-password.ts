import { Command } from 'commander'
import { isDenial } from '../../core/denial.ts'
import { changeAccount } from '../../usecases/change-account.ts'
import { type Context, withDeps } from '../context.ts'
import { print } from '../terminal.ts'
import { BY_SYSTEM, findAccount, refused } from './choose.ts'
import { choosePassword, passwordStdin } from './password.ts'

/** `duktig account set-password`: sets a new password, which ends the account's sessions. */
export function setPasswordCommand(context: Context): Command {
  return new Command('set-password')
    .description('set a new password; ends the sessions of the account')
    .argument('<account>', 'id or e-mail address')
    .addOption(passwordStdin)
    .action(async (idOrEmail: string, options: { passwordStdin?: boolean }) => {
      await withDeps(context, async ({ deps }) => {
        const { accountId, email } = await findAccount(deps, idOrEmail)
        const { password, generated } = await choosePassword(deps.passwordPolicy, options)
        const by = {
          ...BY_SYSTEM,
          code: 'Users->patchAccount',
          message: `Account ${accountId} changed`,
        } as const
        const changed = await changeAccount(deps, by, accountId, { password })
        if (isDenial(changed)) throw refused(changed)
        print(`Account ${accountId} (${email}) has a new password.`)
        if (generated) print(`Password: ${password}   (shown only now)`)
      })
    })
}
