import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { DEFAULT_APPLICATION_ID } from '../core/application.ts'
import { DAY_MS, LIMITS } from '../settings/limits.ts'
import type { Settings } from '../settings/settings.ts'
import { hashApplicationKey } from '../tokens/application-key.ts'
import type { Deps } from '../usecases/deps.ts'
import { hasNoAccount } from '../usecases/has-no-account.ts'
import { doubtOf } from './application/policy.ts'
import type { Context } from './context.ts'
import { print } from './terminal.ts'

/** How far this machine's clock may differ from the service's time before `doctor` reports it. */
const CLOCK_DIFFERENCE_MS = 2000

/** `duktig doctor`: checks settings, data folder, store, clock and keys, and says what to mend. */
export function doctorCommand(context: Context): Command {
  return new Command('doctor')
    .description('check settings, store and clock, and say what to mend')
    .action(async () => {
      const settings = context.settings()
      print('settings   good')
      const problems = await problemsOf(context, settings)
      for (const problem of problems) print(`mend       ${problem}`)
      if (problems.length > 0) process.exitCode = 1
      else print('Nothing to mend.')
    })
}

async function problemsOf(context: Context, settings: Settings): Promise<string[]> {
  const { dataDir } = settings
  try {
    if (!isNothingIn(dataDir)) accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
    // Opening the store would create whatever is missing, so that `doctor` would find nothing wrong in a wrong folder.
    const missing = await context.missingDatabase(settings)
    if (missing !== null) return [missing]
  } catch (error) {
    return [`the data folder ${dataDir} cannot be used: ${(error as Error).message}`]
  }
  // PostgreSQL needs a data folder too: it holds the master secret and the journal.
  if (isNothingIn(dataDir))
    return [`there is nothing in the data folder ${resolve(dataDir)}: name another one with DUKTIG_DATA_DIR`]
  const open = statSync(dataDir).mode & 0o077
  const problems = open === 0 ? [] : [`others may look into ${dataDir}: chmod 700 ${dataDir}`]
  return [...problems, ...(await storeProblems(context, settings))]
}

function isNothingIn(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw error
  }
}

async function storeProblems(context: Context, settings: Settings): Promise<string[]> {
  let opened: Awaited<ReturnType<Context['open']>>
  try {
    opened = await context.open(settings)
  } catch (error) {
    return [
      `the store cannot be opened with the data folder ${settings.dataDir}: ${(error as Error).message}`,
    ]
  }
  try {
    const { store } = opened.deps
    await store.check()
    print(`store      ${store.engine}, can be written`)
    const problems = [...(await store.inspect({ deep: true }))]
    const aheadMs = Date.now() - store.clock.nowMs()
    if (Math.abs(aheadMs) > CLOCK_DIFFERENCE_MS)
      problems.push(
        `this machine's clock is ${aheadMs} ms off the service's time: set it and the database's by NTP`,
      )
    else print(`clock      at most ${CLOCK_DIFFERENCE_MS / 1000} s off the service's time`)
    for (const file of await context.damagedJournals(settings, store))
      problems.push(
        `the journal ${file} has an unreadable line: replace it by a good copy if you have one; otherwise restoring any ` +
          `backup ends all sessions, until the journal is removed after ${LIMITS.journalKeptMs / DAY_MS} days`,
      )
    for (const file of await context.overdueJournals(settings, store))
      problems.push(
        `the journal ${file} is too old for any backup and should be gone: remove it, and see to it that the service may remove files in its folder`,
      )
    print(`keys       ${opened.deps.keys.all().length}, opened with the master secret`)
    await tellWhoCanSignIn(opened.deps, settings.authKey)
    await tellDoubts(opened.deps)
    const applications = await store.listApplications()
    if (applications.length > 0 && applications.every(({ disabled }) => disabled))
      problems.push('all applications are disabled: `duktig application set default --enable`')
    return problems
  } finally {
    await opened.close()
  }
}

/** Prints what may keep users from signing in. It may be intended, so it does not count as a problem. */
async function tellWhoCanSignIn({ store }: Deps, authKey: string | null): Promise<void> {
  if (await hasNoAccount(store))
    print('accounts   none yet; `duktig account create` makes the first administrator')
  const opened = authKey === null ? null : await store.findApplicationByKey(hashApplicationKey(authKey))
  if (authKey !== null && opened?.applicationId !== DEFAULT_APPLICATION_ID)
    print(
      'sign-in    DUKTIG_AUTH_KEY does not open the default application; the next start with it makes it the only key',
    )
  const application = await store.findApplication(DEFAULT_APPLICATION_ID)
  if (application?.disabled === true)
    print(
      'sign-in    the default application is disabled; `duktig application set default --enable` lets it in again',
    )
}

/** Prints what applications allow but hardly mean; it does not count as a problem either. */
async function tellDoubts({ store }: Deps): Promise<void> {
  for (const application of await store.listApplications()) {
    const doubt = application.disabled ? null : doubtOf(application)
    if (doubt !== null) print(`policy     of ${application.clientId}: ${doubt}`)
  }
}
