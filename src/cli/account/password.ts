import { randomBytes } from 'node:crypto'
import { Option } from 'commander'
import type { PasswordPolicy } from '../../passwords/policy.ts'
import { CommandError, ask, readStandardInput } from '../terminal.ts'

/** `--password-stdin`. */
export const passwordStdin = new Option(
  '--password-stdin',
  'read the password from standard input; otherwise the command asks for it, or generates and prints one where there is no terminal',
)

export interface ChosenPassword {
  readonly password: string
  /** If so, nobody knows the password yet: it must be shown, once. */
  readonly generated: boolean
}

/** A password from standard input or the operator; a generated one if there is no terminal or the answer is empty. */
export async function choosePassword(
  policy: PasswordPolicy,
  options: { readonly passwordStdin?: boolean },
): Promise<ChosenPassword> {
  const given = options.passwordStdin === true ? await passwordFromInput() : await askTwice()
  const { minCodePoints } = policy
  if (given === '')
    return {
      password: randomBytes(Math.max(15, minCodePoints ?? 0)).toString('base64url'),
      generated: true,
    }
  if (policy.accepts(given)) return { password: given, generated: false }
  throw new CommandError(`the password must have ${policy.demand}`)
}

/** Empty input is a script's mistake, such as a variable that is not set; generating a password would hide it. */
async function passwordFromInput(): Promise<string> {
  const given = await readStandardInput()
  if (given === '') throw new CommandError('standard input was empty: write the password to it')
  return given
}

async function askTwice(): Promise<string> {
  const first = (await ask('Password (empty: one is made and shown): ', { hidden: true })) ?? ''
  if (first !== '' && (await ask('Again: ', { hidden: true })) !== first)
    throw new CommandError('the two passwords differ; nothing was changed')
  return first
}
