import { Command } from 'commander'
import { ROLE, STATUS } from '../../core/account.ts'
import { LENGTHS, hasLength, isEmail } from '../../core/account-fields.ts'
import { isDenial } from '../../core/denial.ts'
import { createAccount } from '../../usecases/create-account.ts'
import { type Context, withNewDeps } from '../context.ts'
import { CommandError, ask, print, refuse } from '../terminal.ts'
import {
  BY_SYSTEM,
  ROLE_NAMES,
  STATUS_NAMES,
  refused,
  roleName,
  roleOf,
  statusName,
  statusOf,
} from './choose.ts'
import { choosePassword, passwordStdin } from './password.ts'

interface Options {
  readonly email?: string
  readonly firstName: string
  readonly lastName: string
  readonly phone: string
  readonly role: string
  readonly status: string
  readonly passwordStdin?: boolean
}

/** `duktig account create`: its defaults suit the first account, an active super admin. */
export function createCommand(context: Context): Command {
  return new Command('create')
    .description('create an account; by default an active super admin')
    .option('--email <address>', 'asked for when left out')
    .option('--first-name <name>', '', 'Super')
    .option('--last-name <name>', '', 'Admin')
    .option('--phone <number>', '', '000000')
    .option('--role <role>', ROLE_NAMES, roleName(ROLE.superAdmin))
    .option('--status <status>', STATUS_NAMES, statusName(STATUS.active))
    .addOption(passwordStdin)
    .action((options: Options) => create(context, options))
}

async function create(context: Context, options: Options): Promise<void> {
  const roleId = roleOf(options.role)
  const status = statusOf(options.status)
  await withNewDeps(context, async ({ deps }) => {
    const email = options.email ?? (await ask('E-mail: '))
    if (email === null) throw new CommandError('--email is missing, and there is no terminal to ask at')
    const { firstName, lastName, phone } = options
    const mistakes = isEmail(email) ? [] : ['--email must be a valid e-mail address']
    for (const [name, value, bounds] of [
      ['--first-name', firstName, LENGTHS.firstName],
      ['--last-name', lastName, LENGTHS.lastName],
      ['--phone', phone, LENGTHS.phone],
    ] as const) {
      if (!hasLength(value, bounds))
        mistakes.push(`${name} must have ${bounds[0]} to ${bounds[1]} characters`)
    }
    refuse(mistakes)
    const { password, generated } = await choosePassword(deps.passwordPolicy, options)
    const person = { firstName, lastName, email, phone, comment: null, roleId, status }
    const account = await createAccount(deps, BY_SYSTEM, { ...person, password })
    if (isDenial(account)) throw refused(account)
    print(`Account ${account.accountId} created for ${account.email}.`)
    if (generated) print(`Password: ${password}   (shown only now)`)
  })
}
