import { Command } from 'commander'
import { type Context, withDeps } from '../context.ts'
import { printTable } from '../terminal.ts'

/** `duktig application list`. */
export function listApplicationsCommand(context: Context): Command {
  return new Command('list').description('list all applications with their policy').action(async () => {
    await withDeps(context, async ({ deps }) => {
      const rows = (await deps.store.listApplications()).map((a) => [
        a.clientId,
        a.name,
        a.type,
        a.disabled ? 'disabled' : 'active',
        a.rotation ? 'on' : 'off',
        `${a.parallelWindowSeconds}/${a.retryWindowSeconds} s`,
        a.idleSeconds === 0 ? 'none' : `${a.idleSeconds} s`,
        `${a.sessionTtlSeconds} s`,
        `${a.accessTokenTtlSeconds} s`,
        a.requireKeyOnRefresh ? 'required' : 'optional',
      ])
      const headings = [
        'client id',
        'name',
        'type',
        'state',
        'rotation',
        'windows',
        'idle',
        'session',
        'access',
        'key on refresh',
      ]
      printTable(headings, rows)
    })
  })
}
