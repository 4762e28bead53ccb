import { accessSync, constants, statSync } from 'node:fs'
import { Command } from 'commander'
import type { Settings } from '../settings/settings.ts'
import type { Context } from './context.ts'
import { print } from './terminal.ts'

/** How far the machine's clock and the database's may differ before somebody should look. */
const CLOCK_DIFFERENCE_MS = 2000

/** `duktig doctor`: looks at settings, data folder, store, clock and keys, and says what to mend. */
export function doctorCommand(context: Context): Command {
  return new Command('doctor')
    .description('check settings, store and clock, and say what to mend')
    .action(async () => {
      const settings = context.settings()
      print('settings   good')
      const problems = [...folderProblems(settings), ...(await storeProblems(context, settings))]
      for (const problem of problems) print(`mend       ${problem}`)
      if (problems.length > 0) process.exitCode = 1
      else print('All is well.')
    })
}

function folderProblems(settings: Settings): string[] {
  try {
    accessSync(settings.dataDir, constants.R_OK | constants.W_OK)
  } catch {
    return [
      `the data folder ${settings.dataDir} does not exist yet or cannot be written; \`duktig serve\` makes it`,
    ]
  }
  const open = statSync(settings.dataDir).mode & 0o077
  return open === 0 ? [] : [`others may look into ${settings.dataDir}: chmod 700 ${settings.dataDir}`]
}

async function storeProblems(context: Context, settings: Settings): Promise<string[]> {
  const opened = await context.open(settings)
  try {
    const { store } = opened.deps
    await store.check()
    print(`store      ${store.engine}, can be written`)
    const problems = [...(await store.inspect({ deep: true }))]
    const aheadMs = Date.now() - store.clock.nowMs()
    if (Math.abs(aheadMs) > CLOCK_DIFFERENCE_MS) {
      problems.push(`this machine's clock is ${aheadMs} ms off the database's: set both by NTP`)
    }
    print(`keys       ${opened.deps.keys.all().length}, opened with the master secret`)
    return problems
  } finally {
    await opened.close()
  }
}
