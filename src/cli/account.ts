import { Command } from 'commander'
import { createCommand } from './account/create.ts'
import { endSessionsCommand } from './account/end-sessions.ts'
import { importCommand } from './account/import.ts'
import { listCommand } from './account/list.ts'
import { setPasswordCommand } from './account/set-password.ts'
import { setRoleCommand, setStatusCommand } from './account/set.ts'
import type { Context } from './context.ts'

/** `duktig account …`. */
export function accountCommand(context: Context): Command {
  return new Command('account')
    .description('create, list, change and import accounts')
    .addCommand(createCommand(context))
    .addCommand(listCommand(context))
    .addCommand(setStatusCommand(context))
    .addCommand(setRoleCommand(context))
    .addCommand(setPasswordCommand(context))
    .addCommand(endSessionsCommand(context))
    .addCommand(importCommand(context))
}
