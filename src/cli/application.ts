import { Command } from 'commander'
import { createApplicationCommand } from './application/create.ts'
import { disableCommand, setApplicationCommand } from './application/change.ts'
import { listApplicationsCommand } from './application/list.ts'
import { rotateApplicationKeyCommand } from './application/rotate-key.ts'
import type { Context } from './context.ts'

/** `duktig application …`. */
export function applicationCommand(context: Context): Command {
  return new Command('application')
    .description('applications: who may sign users in, and the policy of their sessions')
    .addCommand(createApplicationCommand(context))
    .addCommand(listApplicationsCommand(context))
    .addCommand(rotateApplicationKeyCommand(context))
    .addCommand(setApplicationCommand(context))
    .addCommand(disableCommand(context))
}
