/** The command-line options for an application's policy, and how they are parsed. */
import type { Command } from 'commander'
import {
  type Application,
  type ApplicationChange,
  DEFAULT_APPLICATION_ID,
  type Policy,
} from '../../core/application.ts'
import { type Kind, onOff } from '../../settings/kinds.ts'
import { POLICY_KINDS, type PolicyNames, policyDoubt, policyMistakes } from '../../settings/policy.ts'
import { POLICY_NAMES } from '../../settings/read-settings.ts'
import type { Deps } from '../../usecases/deps.ts'
import { CommandError, print, refuse } from '../terminal.ts'

interface PolicyOption {
  readonly flag: string
  readonly value: '<on|off>' | '<seconds>'
  readonly key: keyof ApplicationChange
  readonly kind: Kind<number | boolean>
  readonly help: string
}

const OPTIONS: readonly PolicyOption[] = [
  {
    flag: '--rotation',
    value: '<on|off>',
    key: 'rotation',
    kind: onOff(),
    help: 'rotate refresh tokens of new sessions',
  },
  {
    flag: '--parallel-window',
    value: '<seconds>',
    key: 'parallelWindowSeconds',
    kind: POLICY_KINDS.parallelWindowSeconds,
    help: 'how long after issuing a refresh token no newer one is issued',
  },
  {
    flag: '--retry-window',
    value: '<seconds>',
    key: 'retryWindowSeconds',
    kind: POLICY_KINDS.retryWindowSeconds,
    help: 'how long the previous refresh token gets the same successor',
  },
  {
    flag: '--idle',
    value: '<seconds>',
    key: 'idleSeconds',
    kind: POLICY_KINDS.idleSeconds,
    help: 'how long a session may go without a refresh; 0 for no limit; choose more than access tokens live',
  },
  {
    flag: '--session-ttl',
    value: '<seconds>',
    key: 'sessionTtlSeconds',
    kind: POLICY_KINDS.sessionTtlSeconds,
    help: 'the absolute life of a session',
  },
  {
    flag: '--access-token-ttl',
    value: '<seconds>',
    key: 'accessTokenTtlSeconds',
    kind: POLICY_KINDS.accessTokenTtlSeconds,
    help: 'the life of an access token',
  },
  {
    flag: '--require-key',
    value: '<on|off>',
    key: 'requireKeyOnRefresh',
    kind: onOff(),
    help: 'refresh requests must carry the key',
  },
  {
    flag: '--trusted-backend',
    value: '<on|off>',
    key: 'trustedBackend',
    kind: onOff(),
    help: 'believe its X-Real-Ip',
  },
]

/** The most characters that a display name may have. */
const NAME_CHARACTERS = 100

/** The flags, as a message lists them. */
export const POLICY_FLAGS = [...OPTIONS.map(({ flag }) => flag), '--name'].join(', ')

export function withPolicyOptions(command: Command): Command {
  for (const { flag, value, help } of OPTIONS) command.option(`${flag} ${value}`, help)
  return command.option('--name <name>', 'a display name')
}

/**
 * The change that the given options ask for. @throws {CommandError} naming every invalid option, behind the mistakes that
 * the caller has `found`
 */
export function policyOf(
  options: Readonly<Record<string, string | undefined>>,
  found: readonly string[] = [],
): ApplicationChange {
  const change: Record<string, unknown> = {}
  const mistakes = [...found]
  for (const { flag, key, kind } of OPTIONS) {
    const text = options[camelCase(flag.slice(2))]
    if (text === undefined) continue
    const parsed = kind.parse(text)
    if ('mistake' in parsed) mistakes.push(`${flag} ${parsed.mistake}`)
    else change[key] = parsed.value
  }
  const { name } = options
  if (name !== undefined) {
    if (name.trim() === '' || name.length > NAME_CHARACTERS)
      mistakes.push(`--name must have 1 to ${NAME_CHARACTERS} characters, not only spaces`)
    change['name'] = name
  }
  refuse(mistakes)
  return change
}

/** The option of each time. */
const FLAGS = Object.fromEntries(OPTIONS.map(({ key, flag }) => [key, flag])) as unknown as PolicyNames

/** What an application's policy says but hardly means, in the names under which its operator changes it. */
export function doubtOf(application: Application): string | null {
  const isDefault = application.applicationId === DEFAULT_APPLICATION_ID
  return policyDoubt(application, isDefault ? POLICY_NAMES : FLAGS)
}

export function tellDoubt(application: Application): void {
  const doubt = doubtOf(application)
  if (doubt !== null) print(`Note: ${doubt}.`)
}

/** The times must fit one another, whichever of them is changed. @throws {CommandError} when they do not */
export function checkTimes(policy: Policy): void {
  refuse(policyMistakes(policy, FLAGS))
}

/** The application with a client id. @throws {CommandError} when there is none */
export async function findApplication(deps: Deps, clientId: string): Promise<Application> {
  const application = (await deps.store.listApplications()).find((a) => a.clientId === clientId)
  if (application === undefined)
    throw new CommandError(`there is no application ${clientId}: \`duktig application list\` shows them all`)
  return application
}

/**
 * The settings define the default application; a change of its policy here would last only until the next start.
 * @throws {CommandError} when `application` is the default one
 */
export function notTheDefault(application: Application): void {
  if (application.applicationId === DEFAULT_APPLICATION_ID) {
    throw new CommandError(
      'the default application is configured by settings: change those, such as DUKTIG_REFRESH_ROTATION, and restart; here it can only be disabled, and enabled again',
    )
  }
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}
