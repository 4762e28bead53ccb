/** JSON schemas of the statistics, for the API reference. */
import { INTERVALS } from '../../core/action-stats.ts'
import { CHARTS, CHART_NAMES, type ChartName, STAT_LEVEL_NAMES } from '../../core/log-stats.ts'
import type { Span } from '../../core/periods.ts'
import type { JsonSchema } from './rules.ts'
import { date, object } from './schemas.ts'

const count: JsonSchema = { type: 'integer', minimum: 0 }
const text: JsonSchema = { type: 'string' }

/** An object with the same schema under each of these names. */
function each(
  names: readonly string[],
  schema: (name: string) => JsonSchema,
  areOptional = false,
): JsonSchema {
  const properties = Object.fromEntries(names.map((name) => [name, schema(name)]))
  return object(properties, areOptional ? names : [])
}

const byCode = (schema: JsonSchema): JsonSchema => ({ type: 'object', additionalProperties: schema })

const interval = object({
  byTypeCount: byCode({ type: 'integer', minimum: 1 }),
  byTypePercentage: byCode({ type: 'number', minimum: 0, maximum: 100 }),
})
const intervals = each(INTERVALS, () => interval)

export const actionStatsSchema = object({
  totalStats: intervals,
  systemStats: intervals,
  usersStats: intervals,
  guestsStats: intervals,
  lastStatUpdateDate: date,
})

const PERIODS: Readonly<Record<Span, string>> = {
  month: '^\\d{4}-\\d{2}$',
  day: '^\\d{4}-\\d{2}-\\d{2}$',
  hour: '^\\d{4}-\\d{2}-\\d{2} \\d{2}:00$',
  minute: '^\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}$',
}

function chart(name: ChartName): JsonSchema {
  const { span, periods, title } = CHARTS[name]
  const data: JsonSchema = {
    type: 'object',
    patternProperties: { [PERIODS[span]]: count },
    additionalProperties: false,
    minProperties: periods,
    maxProperties: periods,
  }
  return object({
    type: { const: 'line' },
    title: { const: title },
    xAxis: { type: 'array', items: text, minItems: periods, maxItems: periods },
    yAxis: object({ min: { const: 0 }, max: count }),
    series: each(STAT_LEVEL_NAMES, (level) => object({ title: { const: level }, data })),
  })
}

const texts = each(STAT_LEVEL_NAMES, () => text, true)
const datesByLevel = each(STAT_LEVEL_NAMES, () => date, true)

export const logStatsSchema = object({
  subject: { const: 'Application Logs' },
  lastUpdate: date,
  appendix: object({
    logFilesCount: count,
    totalLogLines: count,
    firstLog: texts,
    lastLog: texts,
    firstLogDate: datesByLevel,
    lastLogDate: datesByLevel,
  }),
  data: object(Object.fromEntries(CHART_NAMES.map((name) => [name, chart(name)]))),
})
