import { Command } from 'commander'
import { createApplication } from '../../usecases/applications.ts'
import { DEFAULT_APPLICATION_ID } from '../../core/application.ts'
import { type Context, withDeps } from '../context.ts'
import { CommandError, print } from '../terminal.ts'
import { checkTimes, policyOf, tellDoubt, withPolicyOptions } from './policy.ts'

/** A client id must never look like a user id, which is a number. */
const CLIENT_ID = /^(?=.*[A-Za-z])[A-Za-z0-9.-]{3,64}$/
const CLIENT_ID_RULE =
  'the client id must have 3 to 64 letters, digits, hyphens or dots, and at least one letter'

/** `duktig application create`: policy options not given are as in the default application, except trusted backend. */
export function createApplicationCommand(context: Context): Command {
  const command = new Command('create')
    .description('create an application; options left out are as in the default application')
    .argument('<client-id>', 'public name: 3 to 64 letters, digits, hyphens, dots, at least one letter')
    .option('--public', 'an application that cannot keep a secret, such as a web page or a mobile app')
  return withPolicyOptions(command).action(
    async (clientId: string, options: Record<string, string | undefined>) => {
      const change = policyOf(options, CLIENT_ID.test(clientId) ? [] : [CLIENT_ID_RULE])
      await withDeps(context, async ({ deps }) => {
        const template = await deps.store.findApplication(DEFAULT_APPLICATION_ID)
        if (template === null)
          throw new CommandError('there is no default application yet; run `duktig serve` once')
        const { applicationId: _id, epoch: _epoch, disabled: _disabled, ...defaults } = template
        const type = options['public'] === undefined ? ('confidential' as const) : ('public' as const)
        const application = { ...defaults, trustedBackend: false, name: clientId, ...change, clientId, type }
        checkTimes(application)
        const created = await createApplication(deps, application)
        if (created === 'client-id-taken')
          throw new CommandError(`there is an application ${clientId} already: choose another client id`)
        print(`Application ${clientId} created.`)
        tellDoubt(created.application)
        print(`Key: ${created.key}   (shown only now)`)
      })
    },
  )
}
