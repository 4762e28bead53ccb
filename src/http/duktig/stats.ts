/** The statistics (contract, section 7). */
import { ROLE } from '../../core/account.ts'
import type { DateFormat } from '../../core/dates.ts'
import { type LogLevel, STAT_LEVELS, STAT_LEVEL_NAMES } from '../../core/log-stats.ts'
import type { LogLevelTotal, LoggedLine } from '../../store/action-store.ts'
import { actionStats } from '../../usecases/action-stats.ts'
import { logStats } from '../../usecases/log-stats.ts'
import { empty, json } from '../answer.ts'
import { type DuktigRoute, actionBy } from './face.ts'
import { actionStatsSchema, logStatsSchema } from './stats-schemas.ts'

const common = {
  method: 'GET',
  tag: 'Statistics',
  credential: 'access',
  roles: [ROLE.superAdmin],
  bodilessDenials: [204],
} as const

/** `GET /stats/user_actions`. */
const userActions: DuktigRoute<'access'> = {
  ...common,
  path: '/stats/user_actions',
  operationId: 'userActionStats',
  summary: 'Count actions by code, for each interval and each kind of user',
  description: 'All intervals end now and start with a full hour; `Total` covers the retention.',
  success: actionStatsSchema,
  async handle({ deps, dates }, call) {
    const stats = await actionStats(deps, dates)
    deps.events.action(actionBy(call, 'UserActions->getUserActionsStats', 'Statistics of actions read'))
    if (stats === null) return empty(204)
    return json(200, {
      totalStats: stats.all,
      systemStats: stats.system,
      usersStats: stats.users,
      guestsStats: stats.guests,
      lastStatUpdateDate: dates.format(stats.atMs),
    })
  },
}

/** `GET /stats/app_logs`. */
const appLogs: DuktigRoute<'access'> = {
  ...common,
  path: '/stats/app_logs',
  operationId: 'appLogStats',
  summary: 'Count log lines by level, as series ready to draw',
  description: 'Periods are those of the configured time zone, oldest first, the present one included.',
  success: logStatsSchema,
  async handle({ deps, dates }, call) {
    const stats = await logStats(deps, dates)
    deps.events.action(actionBy(call, 'AppLogs->appLogs', 'Statistics of the log read'))
    if (stats === null) return empty(204)
    return json(200, {
      subject: 'Application Logs',
      lastUpdate: dates.format(stats.atMs),
      appendix: appendixOf(stats.levels, dates),
      data: stats.charts,
    })
  },
}

export const statsRoutes: readonly DuktigRoute[] = [userActions, appLogs]

/** The log is one stream, which the operator keeps, so there are no files to count. */
function appendixOf(levels: readonly LogLevelTotal[], dates: DateFormat): object {
  return {
    logFilesCount: 0,
    totalLogLines: levels.reduce((sum, { total }) => sum + total, 0),
    firstLog: byLevel(levels, ({ message }) => message, 'first'),
    lastLog: byLevel(levels, ({ message }) => message, 'last'),
    firstLogDate: byLevel(levels, ({ atMs }) => dates.format(atMs), 'first'),
    lastLogDate: byLevel(levels, ({ atMs }) => dates.format(atMs), 'last'),
  }
}

/** For each level of the contract at which something was logged, the text of its first or last line. */
function byLevel(
  levels: readonly LogLevelTotal[],
  text: (line: LoggedLine) => string,
  which: 'first' | 'last',
): Record<string, string> {
  const texts = STAT_LEVEL_NAMES.flatMap((name) => {
    const covered: readonly LogLevel[] = STAT_LEVELS[name]
    const lines = levels.filter(({ level }) => covered.includes(level)).map((total) => total[which])
    const sorted = lines.toSorted((a, b) => a.atMs - b.atMs)
    const line = which === 'first' ? sorted[0] : sorted.at(-1)
    return line === undefined ? [] : [[name, text(line)] as const]
  })
  return Object.fromEntries(texts)
}
