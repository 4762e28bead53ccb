import { Command } from 'commander'
import { createDateFormat } from '../core/dates.ts'
import type { KeyPurpose } from '../store/store.ts'
import type { SigningKey } from '../tokens/signing-key.ts'
import { rotateKey } from '../usecases/rotate-key.ts'
import { type Context, withDeps } from './context.ts'
import { CommandError, print, printTable } from './terminal.ts'

const PURPOSES: readonly KeyPurpose[] = ['access', 'refresh', 'device']

/** `duktig keys …`: the keys that sign tokens. */
export function keysCommand(context: Context): Command {
  return new Command('keys')
    .description('the keys that sign tokens')
    .addCommand(listKeysCommand(context))
    .addCommand(rotateKeysCommand(context))
    .addCommand(exportKeysCommand(context))
}

function listKeysCommand(context: Context): Command {
  return new Command('list').description('list all signing keys').action(async () => {
    const dates = createDateFormat(context.settings().timeZone)
    await withDeps(context, async ({ deps: { keys, store } }) => {
      const nowMs = store.clock.nowMs()
      const rows = keys
        .all()
        .map((key) => [
          key.kid,
          key.purpose,
          key.algorithm,
          stateOf(key, keys.findSigner(key.purpose)?.kid, nowMs),
          dates.format(key.activeAtMs),
          dates.format(key.retireAtMs) ?? '',
        ])
      printTable(['key id', 'purpose', 'algorithm', 'state', 'signs from', 'believed until'], rows)
    })
  })
}

function stateOf(key: SigningKey, signer: string | undefined, nowMs: number): string {
  if (key.kid === signer) return 'signs'
  return key.retireAtMs === null || key.activeAtMs > nowMs ? 'published' : 'verifies'
}

function rotateKeysCommand(context: Context): Command {
  return new Command('rotate')
    .description(
      'add a key; it is published within ten seconds and signs after ten minutes, or at once if it is the first of its algorithm; nobody is signed out',
    )
    .argument('[purpose]', PURPOSES.join(', '), 'access')
    .action(async (text: string) => {
      const purpose = PURPOSES.find((p) => p === text)
      if (purpose === undefined) throw new CommandError(`the purpose must be one of: ${PURPOSES.join(', ')}`)
      const dates = createDateFormat(context.settings().timeZone)
      await withDeps(context, async ({ deps }) => {
        const key = await rotateKey(deps, purpose)
        // A service whose settings name another algorithm goes on signing with a key of that one.
        const where = purpose === 'access' ? `, where DUKTIG_ACCESS_TOKEN_ALG is ${key.algorithm}` : ''
        const from = dates.format(key.activeAtMs)
        print(
          `The ${purpose} key ${key.kid} is published within ten seconds and signs from ${from} on${where}.`,
        )
      })
    })
}

function exportKeysCommand(context: Context): Command {
  return new Command('export')
    .description(
      'print what a resource server needs to verify access tokens: public keys, or the secret of HS256',
    )
    .action(async () => {
      await withDeps(context, async ({ deps: { keys } }) => {
        const believed = keys.verifiers('access')
        if (believed.length === 0)
          throw new CommandError('there are no access keys yet: the first start of the service makes one')
        const exported = believed.map((key) => key.publicJwk() ?? sharedJwk(key))
        // An HS256 key may remain from before a change of algorithm: an operator who expects public keys must know.
        if (believed.some((key) => key.publicJwk() === null))
          process.stderr.write('duktig: this holds a secret; whoever has it can make access tokens\n')
        print(JSON.stringify({ keys: exported }, null, 2))
      })
    })
}

/** HS256 has no public key: this secret lets its holder verify tokens, and mint them. It is for the operator alone. */
function sharedJwk(key: SigningKey): object {
  const k = key.sharedSecret()?.toString('base64url')
  return { kty: 'oct', k, kid: key.kid, alg: key.algorithm, use: 'sig' }
}
