import { setTimeout as pause } from 'node:timers/promises'
import { Command } from 'commander'
import { GUEST, SYSTEM } from '../core/actions.ts'
import { type DateFormat, createDateFormat } from '../core/dates.ts'
import { LIMITS } from '../settings/limits.ts'
import type { StoredAction } from '../store/action-store.ts'
import type { Store } from '../store/store.ts'
import { findAccount } from './account/choose.ts'
import { type Context, withDeps } from './context.ts'
import { CommandError, print, printable } from './terminal.ts'

const POLL_MS = 1000
const NAMES: ReadonlyMap<string, number> = new Map([
  ['guest', GUEST],
  ['system', SYSTEM],
])
const LAST_MS = 8_640_000_000_000_000

/** The columns and their widths. They are fixed, because with `--follow` nobody knows what is to come. */
const COLUMNS = [
  ['time', 19],
  ['who', 8],
  ['action', 32],
  ['address', 15],
  ['session', 22],
  ['what happened', 0],
] as const

interface Options {
  readonly follow?: boolean
  readonly account?: string
  readonly limit: string
}

/** `duktig audit`: prints the latest recorded actions, and with `--follow` further ones as they are recorded. */
export function auditCommand(context: Context): Command {
  return new Command('audit')
    .description('print recorded actions, oldest first')
    .option('--follow', 'go on printing new actions until interrupted')
    .option('--account <account>', 'only what this account did: id, e-mail address, guest or system')
    .option('--limit <number>', 'how many of the latest actions', '100')
    .action((options: Options) => audit(context, options))
}

async function audit(context: Context, options: Options): Promise<void> {
  if (!/^\d{1,6}$/.test(options.limit)) throw new CommandError('--limit must be a whole number, 0 to 999999')
  if (Number(options.limit) === 0 && options.follow !== true)
    throw new CommandError('--limit 0 prints nothing: add --follow, or ask for at least one action')
  const dates = createDateFormat(context.settings().timeZone)
  await withDeps(context, async ({ deps }) => {
    const { account } = options
    const accountId =
      account === undefined ? null : (NAMES.get(account) ?? (await findAccount(deps, account)).accountId)
    const [newest] = await deps.store.latestActions(1)
    const last = await lastActions(deps.store, accountId, Number(options.limit), newest?.id ?? 0)
    print(inColumns(COLUMNS.map(([heading]) => heading)))
    for (const action of last) print(lineOf(action, dates))
    if (options.follow === true) await follow(deps.store, accountId, newest?.id ?? 0, dates)
  })
}

/** The latest actions up to `newestId`; `follow` starts after that id. */
async function lastActions(
  store: Store,
  accountId: number | null,
  limit: number,
  newestId: number,
): Promise<readonly StoredAction[]> {
  const found =
    accountId === null
      ? await store.latestActions(limit)
      : await store.listActions(accountId, 0, limit, 0, LAST_MS)
  return found.filter(({ id }) => id <= newestId).toReversed()
}

async function follow(
  store: Store,
  accountId: number | null,
  newestId: number,
  dates: DateFormat,
): Promise<void> {
  const interrupted = new AbortController()
  // `on`, not `once`: a terminal and the launcher may both send the signal, and the second must not kill the process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())
  let lastId = newestId
  while (!interrupted.signal.aborted) {
    const actions = await store.actionsAfter(lastId, LIMITS.actionsListed)
    for (const action of actions) {
      lastId = action.id
      if (accountId === null || action.accountId === accountId) print(lineOf(action, dates))
    }
    if (actions.length < LIMITS.actionsListed) {
      await pause(POLL_MS, null, { signal: interrupted.signal }).catch(() => {})
    }
  }
}

function lineOf(action: StoredAction, dates: DateFormat): string {
  const { atMs, accountId, code, message, address, sessionId } = action
  const who = accountId === GUEST ? 'guest' : accountId === SYSTEM ? 'system' : String(accountId)
  return inColumns([dates.format(atMs), who, code, address ?? '-', sessionId ?? '-', message])
}

function inColumns(cells: readonly string[]): string {
  return cells.map((cell, i) => printable(cell).padEnd(COLUMNS[i]?.[1] ?? 0)).join('  ')
}
