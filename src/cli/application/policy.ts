/** The command-line options for an application's policy, and how they are parsed. */
import type { Command } from 'commander'
import { type Application, DEFAULT_APPLICATION_ID } from '../../core/application.ts'
import { type Kind, onOff, wholeNumber } from '../../settings/kinds.ts'
import type { ApplicationChange } from '../../core/application.ts'
import type { Deps } from '../../usecases/deps.ts'
import { CommandError } from '../terminal.ts'

const TEN_YEARS_SECONDS = 315_360_000

interface PolicyOption {
  readonly flag: string
  readonly key: keyof ApplicationChange
  readonly kind: Kind<number | boolean>
  readonly help: string
}

const seconds = (min: number, max: number) => wholeNumber(min, max)

const OPTIONS: readonly PolicyOption[] = [
  {
    flag: '--rotation <on|off>',
    key: 'rotation',
    kind: onOff(),
    help: 'rotate refresh tokens of new sessions',
  },
  {
    flag: '--parallel-window <seconds>',
    key: 'parallelWindowSeconds',
    kind: seconds(1, 3600),
    help: 'how long after issuing a refresh token no newer one is issued',
  },
  {
    flag: '--retry-window <seconds>',
    key: 'retryWindowSeconds',
    kind: seconds(1, 86_400),
    help: 'how long the previous refresh token gets the same successor',
  },
  {
    flag: '--idle <seconds>',
    key: 'idleSeconds',
    kind: seconds(0, TEN_YEARS_SECONDS),
    help: 'how long a session may stay unused; 0 for no limit',
  },
  {
    flag: '--session-ttl <seconds>',
    key: 'sessionTtlSeconds',
    kind: seconds(60, TEN_YEARS_SECONDS),
    help: 'the absolute life of a session',
  },
  {
    flag: '--access-token-ttl <seconds>',
    key: 'accessTokenTtlSeconds',
    kind: seconds(10, 86_400),
    help: 'the life of an access token',
  },
  {
    flag: '--require-key <on|off>',
    key: 'requireKeyOnRefresh',
    kind: onOff(),
    help: 'refresh requests must carry the key',
  },
  { flag: '--trusted-backend <on|off>', key: 'trustedBackend', kind: onOff(), help: 'believe its X-Real-Ip' },
]

export function withPolicyOptions(command: Command): Command {
  for (const { flag, help } of OPTIONS) command.option(flag, help)
  return command.option('--name <name>', 'a display name')
}

/** The change that the given options ask for. @throws {CommandError} naming the first invalid option */
export function policyOf(options: Readonly<Record<string, string | undefined>>): ApplicationChange {
  const change: Record<string, unknown> = {}
  for (const { flag, key, kind } of OPTIONS) {
    const long = flag.split(' ')[0] as string
    const text = options[camelCase(long.slice(2))]
    if (text === undefined) continue
    const parsed = kind.parse(text)
    if ('mistake' in parsed) throw new CommandError(`${long} ${parsed.mistake}`)
    change[key] = parsed.value
  }
  if (options['name'] !== undefined) change['name'] = options['name'].slice(0, 100)
  return change
}

/** The two windows must fit each other, whichever of them is changed. @throws {CommandError} when they do not */
export function checkWindows(
  policy: Pick<Application, 'parallelWindowSeconds' | 'retryWindowSeconds'>,
): void {
  if (policy.retryWindowSeconds < policy.parallelWindowSeconds) {
    throw new CommandError('--retry-window must not be shorter than --parallel-window')
  }
}

/** The application with a client id. @throws {CommandError} when there is none */
export async function findApplication(deps: Deps, clientId: string): Promise<Application> {
  const application = (await deps.store.listApplications()).find((a) => a.clientId === clientId)
  if (application === undefined) throw new CommandError(`there is no application ${clientId}`)
  return application
}

/**
 * The settings define the default application; a change of its policy here would last only until the next start.
 * @throws {CommandError} when `application` is the default one
 */
export function notTheDefault(application: Application): void {
  if (application.applicationId === DEFAULT_APPLICATION_ID) {
    throw new CommandError(
      'the default application is configured by settings: change those, such as DUKTIG_REFRESH_ROTATION, and restart',
    )
  }
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}
