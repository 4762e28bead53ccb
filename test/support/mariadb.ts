/** A real MariaDB server with databases like those of the PHP original, where MariaDB is available. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, createConnection } from 'mysql2/promise'

export interface RunningMariadb {
  /** For a user with all privileges; names no database. */
  readonly url: string
  stop(): Promise<void>
}

/** Why no MariaDB is available here; null if one is. */
export function mariadbMissing(): string | null {
  if ((process.env['DUKTIG_TEST_MARIADB_URL'] ?? '') !== '') return null
  const found = spawnSync('mariadbd', ['--no-defaults', '--version']).status === 0
  return found ? null : 'there is neither mariadbd in PATH nor DUKTIG_TEST_MARIADB_URL'
}

/** Uses the server of `DUKTIG_TEST_MARIADB_URL`, or starts one in a temporary folder. */
export async function startMariadb(): Promise<RunningMariadb> {
  const given = process.env['DUKTIG_TEST_MARIADB_URL'] ?? ''
  if (given !== '') return { url: given, stop: async () => {} }
  const folder = mkdtempSync(join(tmpdir(), 'duktig-mariadb-'))
  const data = join(folder, 'data')
  // MariaDB refuses to run as root unless it is told to.
  const user = process.getuid?.() === 0 ? ['--user=root'] : []
  const options = ['--no-defaults', `--datadir=${data}`, ...user]
  const authentication = '--auth-root-authentication-method=normal'
  const installed = spawnSync('mariadb-install-db', [...options, authentication, '--skip-test-db'])
  if (installed.status !== 0) throw new Error(`mariadb-install-db failed: ${installed.stderr?.toString()}`)
  const port = await freePort()
  const socket = join(folder, 'socket')
  const listening = [`--socket=${socket}`, `--port=${port}`, '--bind-address=127.0.0.1']
  const server = spawn('mariadbd', [...options, ...listening, '--skip-name-resolve'], { stdio: 'ignore' })
  // The server ends when this process exits.
  const kill = () => server.kill('SIGKILL')
  process.once('exit', kill)
  const url = `mysql://root@127.0.0.1:${port}`
  const stop = async () => {
    process.off('exit', kill)
    const ended = server.exitCode === null ? once(server, 'exit') : null
    server.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilReady(url, server)
  } catch (error) {
    await stop()
    throw error
  }
  return { url, stop }
}

async function untilReady(url: string, server: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 300 && server.exitCode === null; tries++) {
    const connection = await createConnection(url).catch(() => null)
    if (connection !== null) return connection.end()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('MariaDB does not start')
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

/** The table as the original created it. */
const USERS = `
  create table users (
    userId int unsigned not null auto_increment primary key,
    firstName varchar(15), lastName varchar(20),
    email varchar(100) character set utf8 collate utf8_general_ci, password varchar(255), phone varchar(25),
    comment text, dateRegistered datetime, dateLastUpdate datetime, dateLastLogin datetime,
    roleId int default 1, status int default 0, unique key email (email)
  ) engine = InnoDB default charset = utf8mb4`

export type UserRow = Readonly<Record<string, string | number | null>>

/** The row of a valid account; a test states only the columns that it is about. */
export function userRow(userId: number, differs: UserRow = {}): UserRow {
  return {
    userId,
    firstName: 'Ani',
    lastName: 'Sarkis',
    email: `person${userId}@example.com`,
    password: null,
    phone: '+374 10 000000',
    comment: null,
    dateRegistered: '2019-07-21 00:09:07',
    dateLastUpdate: null,
    dateLastLogin: '2019-11-15 11:55:37',
    roleId: 4,
    status: 1,
    ...differs,
  }
}

export interface LegacyDatabase {
  /** For `--from`: a user with read access only, whose password has to be escaped in a URL. */
  readonly url: string
  sql(text: string): Promise<unknown>
  drop(): Promise<void>
}

/** Creates a database like the original's, with these accounts. */
export async function legacyDatabase(server: string, rows: readonly UserRow[]): Promise<LegacyDatabase> {
  const name = `DuktigUsers_${randomBytes(6).toString('hex')}`
  const [user, password] = [`reader_${randomBytes(4).toString('hex')}`, 'p@ss:w/rd? é']
  const connection = await createConnection(server)
  await connection.query("set session sql_mode = 'ALLOW_INVALID_DATES'")
  await connection.query(`create database ${name}`)
  await connection.query(`use ${name}`)
  await connection.query(USERS)
  await connection.query(`create user ${user}@'%' identified by '${password}'`)
  await connection.query(`grant select on ${name}.* to ${user}@'%'`)
  await insertUsers(connection, rows)
  const url = new URL(server)
  url.username = user
  url.password = encodeURIComponent(password)
  url.pathname = name
  return {
    url: url.href,
    sql: async (text) => (await connection.query(text))[0],
    async drop() {
      await connection.query(`drop database ${name}`)
      await connection.query(`drop user ${user}@'%'`)
      await connection.end()
    },
  }
}

async function insertUsers(connection: Connection, rows: readonly UserRow[]): Promise<void> {
  const columns = Object.keys(userRow(1))
  for (let start = 0; start < rows.length; start += 1000) {
    const values = rows.slice(start, start + 1000).map((row) => columns.map((column) => row[column] ?? null))
    await connection.query(`insert into users (${columns.join(', ')}) values ?`, [values])
  }
}
