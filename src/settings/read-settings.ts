import { readFileSync } from 'node:fs'
import { readEnvFile } from './env-file.ts'
import { type Definition, SETTINGS, type Settings } from './settings.ts'

/** The settings are wrong; `mistakes` lists all of them, a line each, ready to print. */
export class SettingsError extends Error {
  override name = 'SettingsError'
  readonly mistakes: readonly string[]
  constructor(mistakes: readonly string[]) {
    super(`The settings need mending:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`)
    this.mistakes = mistakes
  }
}

type Variables = Readonly<Record<string, string | undefined>>

/** What is wrong already before the variables are looked at. */
interface Found {
  readonly mistakes: readonly string[]
  /** Whether it is not known what this variable was meant to say: then its default is no answer, and contradicts nothing. */
  readonly isUnclear: (variable: string) => boolean
}

/**
 * Reads all settings from variables; an empty variable counts as unset.
 * @throws {SettingsError} with every mistake at once, and those that were found before
 */
export function readSettings(given: Variables, found?: Found): Settings {
  const variables = withoutKubernetes(given)
  const mistakes = [...(found?.mistakes ?? [])]
  const values: Record<string, unknown> = {}
  for (const [name, definition] of Object.entries<Definition<unknown>>(SETTINGS)) {
    const value = variables[definition.variable] ?? ''
    if (value === '' && found?.isUnclear(definition.variable) === true) continue
    const text = value === '' ? definition.default : value
    if (text === null) {
      values[name] = null
      continue
    }
    const parsed = definition.kind.parse(text)
    if ('value' in parsed) values[name] = parsed.value
    else mistakes.push(`${definition.variable} ${parsed.mistake}${shown(definition, parsed.wrong ?? text)}`)
  }
  mistakes.push(...Object.keys(variables).filter(isUnknown).map(unknown))
  mistakes.push(...contradictions(values))
  if (mistakes.length > 0) throw new SettingsError(mistakes)
  return values as unknown as Settings
}

/** The same from the process's variables, which win, and those of a `.env` file, if there is one. */
export function readSettingsWithFile(ofProcess: Variables, file: string): Settings {
  const variables = notEmpty(withoutKubernetes(ofProcess))
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      const mistakes = [
        ...misspeltIn(variables, variables),
        `${file} cannot be read: ${(error as Error).message}`,
      ]
      return readSettings(variables, { mistakes, isUnclear: () => true })
    }
  }
  const { values, names, withoutValue, unlike } = readEnvFile(text)
  const unsure = [...unlike].filter(([name]) => KNOWN.has(name) && variables[name] === undefined)
  const unread = Object.fromEntries(unsure.map(([name]) => [name, '']))
  const given: Variables = { ...values, ...unread, ...variables }
  const empty = new Set(withoutValue.filter((name) => (given[name] ?? '') === '' && !(name in unread)))
  const mistakes = [
    ...names.flatMap((name) => misspelt(name, file)),
    ...misspeltIn(variables, given),
    ...[...empty].map((name) =>
      isUnknown(name) ? unknown(name) : `${file} gives ${name} no value: write ${name}=…`,
    ),
    ...unsure.map(([name, remedy]) => `the value of ${name} in ${file} ${remedy}`),
  ]
  return readSettings(given, { mistakes, isUnclear: (variable) => empty.has(variable) || variable in unread })
}

/** What is empty counts as unset, and so leaves the file its say. */
function notEmpty(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => (value ?? '') !== ''))
}

/** What Kubernetes tells of other services is no setting. */
function withoutKubernetes(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([name, value]) => !isOfKubernetes(name, value)))
}

/** Of several lines the first: behind an open quote the others of a file follow, which may be secrets. */
function shown(definition: Definition<unknown>, text: string): string {
  return definition.secret === true ? '' : `, not "${text.replace(/\n[^]*/, '…').slice(0, 60)}"`
}

const KNOWN = new Set(Object.values<Definition<unknown>>(SETTINGS).map(({ variable }) => variable))

/** What Kubernetes tells each container of the services beside it, of which one may be called `duktig`, or `duktig-db`. */
const OF_KUBERNETES =
  /^DUKTIG_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/
const NAME_OF_PORT = /^DUKTIG_(\w+_)?PORT$/
const ADDRESS_OF_SERVICE = /^(tcp|udp|sctp):\/\//

function isOfKubernetes(name: string, value: string | undefined): boolean {
  return OF_KUBERNETES.test(name) || (NAME_OF_PORT.test(name) && ADDRESS_OF_SERVICE.test(value ?? ''))
}

function isUnknown(name: string): boolean {
  return name.startsWith('DUKTIG_') && !name.startsWith('DUKTIG_TEST_') && !KNOWN.has(name)
}

/** A setting's name in small letters, or with a hyphen or a dot in it, sets nothing. */
function misspelt(name: string, where: string): string[] {
  const meant = meantBy(name)
  if (meant === name) return []
  if (KNOWN.has(meant)) return [`${name} in ${where} sets nothing: write ${meant}`]
  return /^DUKTIG_[\w.-]+$/.test(name) ? [unknown(name)] : []
}

/**
 * Those of the environment. Other programs read it too, and scripts have names of their own: only for settings that are not given
 * otherwise. Names that begin as ours do are told without this.
 */
function misspeltIn(variables: Variables, given: Variables): string[] {
  const isLost = (name: string) =>
    !isUnknown(name) && KNOWN.has(meantBy(name)) && given[meantBy(name)] === undefined
  return Object.keys(variables)
    .filter(isLost)
    .flatMap((name) => misspelt(name, 'the environment'))
}

function meantBy(name: string): string {
  return name.toUpperCase().replaceAll(/[-.]/g, '_')
}

function unknown(name: string): string {
  return `${name} is no setting; \`duktig --help\` lists them all`
}

/** What does not go together. A setting that is wrong by itself is not there, and contradicts nothing. */
function contradictions(settings: Partial<Settings>): string[] {
  const {
    refreshRetryWindowSeconds: retry = Number.NaN,
    refreshParallelWindowSeconds: parallel = Number.NaN,
  } = settings
  const { accessTokenTtlSeconds: access = Number.NaN, refreshTokenTtlSeconds: session = Number.NaN } =
    settings
  const { legacyRefreshSecret, legacyAccountKey, host, port, metricsHost, metricsPort } = settings
  const contradicting: readonly (readonly [boolean, string])[] = [
    [
      retry < parallel,
      'DUKTIG_REFRESH_RETRY_WINDOW_SECONDS must not be shorter than DUKTIG_REFRESH_PARALLEL_WINDOW_SECONDS',
    ],
    [access > session, 'DUKTIG_ACCESS_TOKEN_TTL_SECONDS must not exceed DUKTIG_REFRESH_TOKEN_TTL_SECONDS'],
    [
      (legacyRefreshSecret === null && typeof legacyAccountKey === 'string') ||
        (legacyAccountKey === null && typeof legacyRefreshSecret === 'string'),
      'DUKTIG_LEGACY_REFRESH_SECRET and DUKTIG_LEGACY_ACCOUNT_KEY must both be set, or neither',
    ],
    [
      host !== undefined && port !== undefined && port !== 0 && port === metricsPort && host === metricsHost,
      'DUKTIG_PORT and DUKTIG_METRICS_PORT must differ',
    ],
  ]
  return [...alikeHeaders(settings), ...contradicting.filter(([is]) => is).map(([, mistake]) => mistake)]
}

/** One header cannot carry two things; the settings that give one name to several are told together. */
function alikeHeaders(settings: Partial<Settings>): string[] {
  const byName = new Map<string, string[]>()
  for (const setting of ['authKeyHeader', 'accessTokenHeader', 'refreshTokenHeader'] as const) {
    const name = settings[setting]?.toLowerCase()
    if (name === undefined) continue
    byName.set(name, [...(byName.get(name) ?? []), SETTINGS[setting].variable])
  }
  return [...byName]
    .filter(([, variables]) => variables.length > 1)
    .map(
      ([name, variables]) =>
        `${variables.join(', ').replace(/,(?!.*,)/, ' and')} must differ; they are "${name}"`,
    )
}
