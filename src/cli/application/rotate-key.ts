import { Command } from 'commander'
import { DEFAULT_APPLICATION_ID } from '../../core/application.ts'
import { wholeNumber } from '../../settings/kinds.ts'
import { rotateApplicationKey } from '../../usecases/applications.ts'
import { type Context, withDeps } from '../context.ts'
import { CommandError, print } from '../terminal.ts'
import { findApplication } from './policy.ts'

/** `duktig application rotate-key`: the earlier keys stay good for the overlap, so that clients can change over. */
export function rotateApplicationKeyCommand(context: Context): Command {
  return new Command('rotate-key')
    .description('create a new key; the earlier keys stay valid for the overlap')
    .argument('<client-id>')
    .option('--overlap <seconds>', 'how long the earlier keys stay valid', '86400')
    .action(async (clientId: string, options: { overlap: string }) => {
      const overlap = wholeNumber(0, 31_536_000).parse(options.overlap)
      if ('mistake' in overlap) throw new CommandError(`--overlap ${overlap.mistake}`)
      const { authKey } = context.settings()
      await withDeps(context, async ({ deps }) => {
        const application = await findApplication(deps, clientId)
        if (application.applicationId === DEFAULT_APPLICATION_ID && authKey !== null) {
          throw new CommandError('DUKTIG_AUTH_KEY is the key of the default application: change it there')
        }
        print(`Key: ${await rotateApplicationKey(deps, application, overlap.value)}   (shown only now)`)
        print(`The other keys of ${clientId} end in ${overlap.value} seconds.`)
      })
    })
}
