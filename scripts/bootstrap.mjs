// Makes a fresh clone ready: installs the packages of the lock file, and a Node that is new enough. It runs on any Node
// from 18 on, so it is plain JavaScript and uses only what Node brings.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** A cache of stripped and compiled TypeScript: with it a start takes half the time and a quarter less memory. */
const compileCache = join(root, 'node_modules', '.cache', 'duktig')
/** The oldest Node with usable type stripping and SQLite; earlier SQLite can corrupt a WAL that two processes write. */
const OLDEST_NODE = [24, 0, 0]
const OLDEST_SQLITE = [3, 51, 3]

/**
 * Runs a script with a Node that is new enough, in this process if possible. `packages` says what the script needs:
 * `production` or `all` (with the development tools).
 */
export async function runWithNode(args, { packages }) {
  ensurePackages(packages)
  if (isNewEnough()) {
    const [script, ...rest] = args
    process.argv = [process.execPath, script, ...rest]
    module.enableCompileCache?.(compileCache)
    await import(pathToFileURL(script).href)
    return
  }
  await runChild(bundledNode(), args)
}

function isNewEnough() {
  return atLeast(process.versions.node, OLDEST_NODE) && atLeast(process.versions.sqlite ?? '0', OLDEST_SQLITE)
}

function atLeast(version, oldest) {
  const parts = version.split('.').map(Number)
  for (const [i, least] of oldest.entries()) {
    if ((parts[i] ?? 0) !== least) return (parts[i] ?? 0) > least
  }
  return true
}

function ensurePackages(packages) {
  const stamp = join(root, 'node_modules', '.duktig')
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const have = existsSync(stamp) ? readFileSync(stamp, 'utf8').split(' ') : []
  if (have[0] === lock && (have[1] === 'all' || have[1] === packages)) return
  say('installing packages (once)')
  npm(['install', '--no-save', packages === 'all' ? '--include=dev' : '--omit=dev'], root)
  writeFileSync(stamp, `${lock} ${packages}`)
}

/** The pinned Node from the npm registry: platform packages that need no install script. */
function bundledNode() {
  const folder = join(root, 'runtime')
  const find = () => {
    const modules = join(folder, 'node_modules')
    const names = existsSync(modules) ? readdirSync(modules).filter((name) => name.startsWith('node-')) : []
    return names.map((name) => join(modules, name, 'bin', 'node')).find((path) => existsSync(path))
  }
  if (find() === undefined) {
    say(`this machine's Node ${process.versions.node} is too old; installing a newer one beside it (once)`)
    npm(['install', '--no-save'], folder)
  }
  const found = find()
  if (found === undefined)
    fail(
      `there is no Node for ${process.platform} ${process.arch} in the registry; install Node 24.15 or newer`,
    )
  return found
}

function npm(args, folder) {
  // The settings of an outer `npm start` would otherwise apply to this inner npm.
  const outer =
    /^npm_(package_|lifecycle_|config_(local_|global_)?prefix|config_(global|omit|include|workspaces?)$)/i
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !outer.test(name)))
  const cli = process.env.npm_execpath
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const [command, first] = cli === undefined ? ['npm', []] : [process.execPath, [cli]]
  const result = spawnSync(command, [...first, ...args, ...flags], {
    cwd: folder,
    env,
    stdio: ['ignore', 2, 2],
  })
  if (result.status !== 0) fail(`npm ${args.join(' ')} failed in ${folder}; is the npm registry reachable?`)
}

/**
 * Runs the other Node as if it were this process: signals and the exit code are passed on. The IPC channel tells a
 * service when this process ends, so that it does not outlive it.
 */
function runChild(node, args) {
  const env = { NODE_COMPILE_CACHE: compileCache, ...process.env }
  const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => {
    child.on('error', (error) => fail(error.message))
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? (signal === null ? 1 : 128)
      resolve()
    })
  })
}

function say(text) {
  process.stderr.write(`duktig: ${text}\n`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
