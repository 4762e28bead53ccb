/** The programs that the benchmark compares the service with, installed from a lock file of their own. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Target } from './closed-loop.ts'
import { answering, freePort } from './duktig.ts'
import { SERVER_CORE, startOn, stop } from './processes.ts'
import type { Tape } from './tape.ts'

export const peersFolder = fileURLToPath(new URL('../peers', import.meta.url))

export interface Peer {
  readonly name: string
  readonly script: string
  readonly tokenPath: string
}

export const PEERS: readonly Peer[] = [
  { name: 'node-oidc-provider', script: 'oidc-provider.mjs', tokenPath: '/token' },
  { name: 'better-auth', script: 'better-auth.mjs', tokenPath: '/api/auth/oauth2/token' },
]

export interface RunningPeer {
  readonly pid: number
  readonly target: Target
  /** A tape of unused tokens, for one round. */
  nextTape(): Tape
  stop(): Promise<void>
}

/** More tokens than connections, so that a connection always finds one. */
const TOKENS_PER_ROUND = 256

/** Installs the packages of bench/peers/package-lock.json, unless that has been done. */
export function installPeers(): void {
  const stamp = join(peersFolder, 'node_modules', '.installed')
  const lock = createHash('sha256')
    .update(readFileSync(join(peersFolder, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  process.stderr.write('installing the peers (once)\n')
  const flags = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = spawnSync('npm', flags, {
    cwd: peersFolder,
    stdio: ['ignore', 2, 2],
    env: plainEnvironment(),
  })
  if (status !== 0) throw new Error('npm could not install the peers')
  writeFileSync(stamp, lock)
}

/** The environment without npm's settings of an outer `npm run`, which would otherwise apply to this inner npm. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle)_/.test(name)),
  )
}

/** Starts a peer with enough refresh tokens for `rounds` rounds and its files in `folder`. */
export async function startPeer(peer: Peer, folder: string, rounds: number): Promise<RunningPeer> {
  installPeers()
  const port = await freePort()
  const all = join(folder, `${peer.name}.tokens`)
  const env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    PORT: String(port),
    TOKENS: String(rounds * TOKENS_PER_ROUND),
    TAPE: all,
    DATABASE: join(folder, `${peer.name}.sqlite`),
  }
  const script = join(peersFolder, peer.script)
  const stdio = ['ignore', 'ignore', 'ignore'] as const
  const child = startOn(process.execPath, [script], {
    core: SERVER_CORE,
    env,
    cwd: folder,
    stdio: [...stdio],
  })
  await answering(`http://127.0.0.1:${port}/`, child)
  const text = readFileSync(all, 'utf8')
  const recordSize = statSync(all).size / (rounds * TOKENS_PER_ROUND)
  let round = 0
  return {
    pid: child.pid as number,
    target: {
      port,
      method: 'POST',
      path: peer.tokenPath,
      tokenHeader: '',
      headers: '',
      chainBody: 'grant_type=refresh_token&client_id=bench&refresh_token=',
    },
    nextTape() {
      const size = recordSize * TOKENS_PER_ROUND
      const file = join(folder, `${peer.name}.tape`)
      writeFileSync(file, text.slice(round * size, (round + 1) * size))
      round++
      return { file, recordSize, records: TOKENS_PER_ROUND }
    },
    stop: () => stop(child),
  }
}
