/** Reads the accounts of the PHP original from its database, MySQL or MariaDB. */
import type { RowDataPacket } from 'mysql2/promise'
import type { DuktigPhpUser } from '../../usecases/duktig-php-user.ts'
import { CommandError } from '../terminal.ts'

export interface Source {
  readonly host: string
  readonly port: number
  readonly user: string
  /** Null when the URL has none. */
  readonly password: string | null
  readonly database: string
}

const ROWS_PER_STEP = 5000
const CONNECT_MS = 10_000

/** @throws {CommandError} when `text` is not `mysql://user:password@host:3306/database` */
export function sourceOf(text: string): Source {
  const url = URL.canParse(text) ? new URL(text) : null
  const part = (value: string): string => {
    try {
      return decodeURIComponent(value)
    } catch {
      throw wrongUrl()
    }
  }
  const database = part(url?.pathname.slice(1) ?? '')
  if (url === null || !/^(mysql|mariadb):$/.test(url.protocol) || url.hostname === '' || database === '')
    throw wrongUrl()
  return {
    // An IPv6 address has brackets only in a URL; the driver takes it without them.
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 3306 : Number(url.port),
    user: part(url.username),
    password: url.password === '' ? null : part(url.password),
    database,
  }
}

/** The message does not repeat the URL, which may hold a password. */
function wrongUrl(): CommandError {
  return new CommandError('--from must be mysql://user:password@host:3306/DuktigUsers')
}

/**
 * All rows of the table `users`, as of one moment. `progress` is told how many have been read.
 * @throws {CommandError} when the database cannot be reached or is not that of the original
 */
export async function readUsers(
  source: Source,
  progress: (read: number, ofAll: number) => void,
): Promise<readonly DuktigPhpUser[]> {
  // Imported here, since no other command needs the driver.
  const { createConnection } = await import('mysql2/promise')
  try {
    const { host, port, user, database } = source
    const connection = await createConnection({
      host,
      port,
      user,
      database,
      password: source.password ?? '',
      charset: 'utf8mb4',
      // Dates arrive as the text in the database, even where that is no valid date.
      dateStrings: true,
      connectTimeout: CONNECT_MS,
    })
    try {
      await connection.query('start transaction with consistent snapshot, read only')
      const [counted] = await connection.query<RowDataPacket[]>('select count(*) as count from users')
      const ofAll = Number(counted[0]?.['count'])
      const users: DuktigPhpUser[] = []
      for (;;) {
        const [rows] = await connection.query<RowDataPacket[]>(STEP, [users.at(-1)?.userId ?? -1])
        users.push(...rows.map(userOf))
        progress(users.length, ofAll)
        if (rows.length < ROWS_PER_STEP) return users
      }
    } finally {
      await connection.end().catch(() => {})
    }
  } catch (error) {
    if (typeof (error as { code?: unknown }).code !== 'string') throw error
    throw new CommandError(`the database of the original cannot be read: ${(error as Error).message}`)
  }
}

const STEP = `
  select userId, firstName, lastName, email, password, phone, comment, dateRegistered, dateLastUpdate, dateLastLogin,
    roleId, status
  from users where userId > ? order by userId limit ${ROWS_PER_STEP}`

function userOf(row: RowDataPacket): DuktigPhpUser {
  const text = (name: string) => (row[name] === null ? null : String(row[name]))
  const number = (name: string) => (row[name] === null ? null : Number(row[name]))
  return {
    userId: Number(row['userId']),
    firstName: text('firstName'),
    lastName: text('lastName'),
    email: text('email'),
    password: text('password'),
    phone: text('phone'),
    comment: text('comment'),
    dateRegistered: text('dateRegistered'),
    dateLastUpdate: text('dateLastUpdate'),
    dateLastLogin: text('dateLastLogin'),
    roleId: number('roleId'),
    status: number('status'),
  }
}
