import { readFileSync } from 'node:fs'
import { readEnvFile } from './env-file.ts'
import { type PolicyNames, policyMistakes } from './policy.ts'
import { type Definition, SETTINGS, type Settings } from './settings.ts'

/** The settings are wrong; `mistakes` lists every mistake, one line each, ready to print. */
export class SettingsError extends Error {
  override name = 'SettingsError'
  readonly mistakes: readonly string[]
  constructor(mistakes: readonly string[]) {
    super(`The settings need mending:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`)
    this.mistakes = mistakes
  }
}

type Variables = Readonly<Record<string, string | undefined>>

/** Problems found before the variables are read. */
interface Found {
  readonly mistakes: readonly string[]
  /** Whether a variable's intended value is unknown, so that its default must not be used in its place. */
  readonly isUnclear: (variable: string) => boolean
}

/**
 * Reads all settings from variables; an empty variable counts as unset.
 * @throws {SettingsError} with all mistakes at once, including those in `found`
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

/**
 * Reads all settings from the process's variables and from those of a `.env` file, if there is one; the process's win.
 * @throws {SettingsError} with all mistakes at once
 */
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

/** Leaves out empty variables: they count as unset, so that the file's value applies. */
function notEmpty(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => (value ?? '') !== ''))
}

/** Leaves out the variables in which Kubernetes describes other services: they are no settings. */
function withoutKubernetes(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([name, value]) => !isOfKubernetes(name, value)))
}

/** Shows the first line only: after an unclosed quote, other lines of the file follow, which may hold secrets. */
function shown(definition: Definition<unknown>, text: string): string {
  return definition.secret === true ? '' : `, not "${text.replace(/\n[^]*/, '…').slice(0, 60)}"`
}

const KNOWN = new Set(Object.values<Definition<unknown>>(SETTINGS).map(({ variable }) => variable))

/**
 * The variables in which Kubernetes tells each container about the services beside it. One of those may be called
 * `duktig` or `duktig-db`.
 */
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

/** Reports a setting's name in lower case, or with a hyphen or a dot in it: such a name sets nothing. */
function misspelt(name: string, where: string): string[] {
  const meant = meantBy(name)
  if (meant === name) return []
  if (KNOWN.has(meant)) return [`${name} in ${where} sets nothing: write ${meant}`]
  return /^DUKTIG_[\w.-]+$/.test(name) ? [unknown(name)] : []
}

/**
 * Reports misspelt names in the environment. Other programs and scripts have similar names there, so only settings that
 * are not given otherwise are reported. Unknown names that begin with `DUKTIG_` are reported by `readSettings`.
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

/** The variable of each time. */
export const POLICY_NAMES: PolicyNames = {
  parallelWindowSeconds: SETTINGS.refreshParallelWindowSeconds.variable,
  retryWindowSeconds: SETTINGS.refreshRetryWindowSeconds.variable,
  idleSeconds: SETTINGS.sessionIdleSeconds.variable,
  sessionTtlSeconds: SETTINGS.refreshTokenTtlSeconds.variable,
  accessTokenTtlSeconds: SETTINGS.accessTokenTtlSeconds.variable,
}

/** Reports settings that contradict each other. One that is wrong by itself is missing here, so contradicts none. */
function contradictions(settings: Partial<Settings>): string[] {
  const { legacyRefreshSecret, legacyAccountKey, host, port, metricsHost, metricsPort } = settings
  const contradicting: readonly (readonly [boolean, string])[] = [
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
  const policy = {
    parallelWindowSeconds: settings.refreshParallelWindowSeconds,
    retryWindowSeconds: settings.refreshRetryWindowSeconds,
    sessionTtlSeconds: settings.refreshTokenTtlSeconds,
    accessTokenTtlSeconds: settings.accessTokenTtlSeconds,
  }
  return [
    ...alikeHeaders(settings),
    ...policyMistakes(policy, POLICY_NAMES),
    ...contradicting.filter(([is]) => is).map(([, mistake]) => mistake),
  ]
}

/** Reports settings that give several credentials the same header; those that share a name are reported together. */
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
