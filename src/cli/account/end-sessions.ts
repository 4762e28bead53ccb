import { Command } from 'commander'
import { endSessions } from '../../usecases/end-sessions.ts'
import { type Context, withDeps } from '../context.ts'
import { print } from '../terminal.ts'
import { BY_SYSTEM, findAccount } from './choose.ts'

/** `duktig account end-sessions`: signs an account out everywhere. */
export function endSessionsCommand(context: Context): Command {
  return new Command('end-sessions')
    .description('sign an account out everywhere')
    .argument('<account>', 'id or e-mail address')
    .action(async (idOrEmail: string) => {
      await withDeps(context, async ({ deps }) => {
        const { accountId } = await findAccount(deps, idOrEmail)
        const by = {
          ...BY_SYSTEM,
          code: 'Users->endSessions',
          message: `Sessions of ${accountId} ended`,
        } as const
        const count = await endSessions(deps, by, accountId, 'ended-by-administrator')
        print(count === 1 ? 'Ended 1 session.' : `Ended ${count} sessions.`)
      })
    })
}
