import { Command } from 'commander'
import { POLICY_KINDS } from '../../settings/policy.ts'
import { changeApplication } from '../../usecases/applications.ts'
import { type Context, withDeps } from '../context.ts'
import { CommandError, print } from '../terminal.ts'
import {
  POLICY_FLAGS,
  checkTimes,
  findApplication,
  notTheDefault,
  policyOf,
  tellDoubt,
  withPolicyOptions,
} from './policy.ts'

/** `duktig application set`: `--rotation` applies to new sessions only, all other options to live ones too. */
export function setApplicationCommand(context: Context): Command {
  const command = new Command('set')
    .description('change the policy; rotation applies to new sessions only, everything else to live ones too')
    .argument('<client-id>')
    .option('--enable', 'let a disabled application in again; its ended sessions stay ended')
  return withPolicyOptions(command).action(
    async (clientId: string, options: Record<string, string | undefined>) => {
      const policy = policyOf(options)
      await withDeps(context, async ({ deps }) => {
        const application = await findApplication(deps, clientId)
        const change = options['enable'] === undefined ? policy : { ...policy, disabled: false }
        if (Object.keys(change).length === 0)
          throw new CommandError(`nothing to change was given; there are ${POLICY_FLAGS} and --enable`)
        if (Object.keys(policy).length > 0) {
          notTheDefault(application)
          if (Object.keys(policy).some((key) => Object.hasOwn(POLICY_KINDS, key)))
            checkTimes({ ...application, ...policy })
        }
        await changeApplication(deps, application, change)
        print(`Application ${clientId} changed.`)
        tellDoubt({ ...application, ...change })
      })
    },
  )
}

/** `duktig application disable`: refuses the application's keys and ends all its sessions at once. */
export function disableCommand(context: Context): Command {
  return new Command('disable')
    .description('refuse an application; ends all its sessions at once')
    .argument('<client-id>')
    .action(async (clientId: string) => {
      await withDeps(context, async ({ deps }) => {
        await changeApplication(deps, await findApplication(deps, clientId), { disabled: true })
        print(`Application ${clientId} is disabled, its sessions have ended.`)
      })
    })
}
