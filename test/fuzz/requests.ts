/** Requests made from the API reference: nearly good ones, and good ones with something wrong in any place. */
import type { ApiOperation, ApiParameter } from '../support/openapi.ts'
import type { Random } from '../support/random.ts'
import { bodyOf } from './bodies.ts'
import type { Cast } from './cast.ts'
import { NAUGHTY, fitting, mutated } from './values.ts'

export interface FuzzRequest {
  readonly operation: ApiOperation
  /** Whether the path is surely that of the operation; otherwise it may name another route, or none. */
  readonly onRoute: boolean
  readonly bytes: Buffer
}

export function requestFor(operation: ApiOperation, cast: Cast, random: Random): FuzzRequest {
  const exact = !random.chance(0.04)
  const path = exact ? pathOf(operation, cast, random) : wrongPath(operation, cast, random)
  const body = operation.body === null && !random.chance(0.1) ? null : bodyOf(operation, cast, random)
  const headers = [...headersOf(operation, cast, random), ...(body?.headers ?? [])]
  const target = path.target + queryOf(operation, random)
  const head = [`${operation.method} ${target} HTTP/1.1`, 'Host: fuzz', ...headers, '', ''].join('\r\n')
  const bytes = Buffer.concat([Buffer.from(head, 'latin1'), body?.bytes ?? Buffer.alloc(0)])
  return { operation, onRoute: exact && path.valid, bytes }
}

function pathOf(operation: ApiOperation, cast: Cast, random: Random): { target: string; valid: boolean } {
  let valid = true
  const target = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (random.chance(0.1)) {
      valid = false
      return nearly(
        random,
        name === 'userId' ? '-1 0 01 1.0 1e3 +1 9007199254740993 -4 0x1 １' : '. .. ~ ä %00 %2e',
      )
    }
    if (name === 'userId') {
      const listed = operation.operationId === 'listActions' ? [-2, -3] : []
      return String(random.pick([...cast.userIds, ...listed, 2 ** 31, 999_999_999_999_999]))
    }
    return random.pick([
      ...cast.sessionIds,
      'unknown',
      'x'.repeat(600),
      'a.b',
      'a%2Fb',
      '%00',
      '%F0%9F%98%80',
    ])
  })
  return { target: random.chance(0.05) ? `${target}/` : target, valid }
}

function nearly(random: Random, words: string): string {
  const naughty = NAUGHTY.filter((value) => typeof value === 'string' && value.isWellFormed()) as string[]
  const word = random.chance(0.5) ? random.pick(words.split(' ')) : encodeURIComponent(random.pick(naughty))
  return asciiOnly(Buffer.from(word)).slice(0, 600)
}

/** A path with a few bytes changed, limited to what may stand in a request line. */
function wrongPath(operation: ApiOperation, cast: Cast, random: Random): { target: string; valid: boolean } {
  const { target } = pathOf(operation, cast, random)
  const bytes = mutated(Buffer.from(target, 'latin1'), random)
  const text = asciiOnly(bytes).replace(/[\0-\x20\x7f#]/g, '%')
  return { target: `/${text.replace(/^\/*/, '')}`, valid: false }
}

function queryOf(operation: ApiOperation, random: Random): string {
  const stated = operation.parameters.filter((parameter) => parameter.in === 'query')
  const pairs = stated
    .filter(() => !random.chance(0.05))
    .map((parameter): [string, string] => [parameter.name, queryValue(parameter, random)])
  if (random.chance(0.1)) pairs.push([random.pick(['userId', '__proto__', 'limit', 'x']), '1'])
  if (random.chance(0.03)) pairs.push([random.pick(['limit[]', 'offset[a]', '%', '']), '%'])
  const text = pairs.map(([name, value]) => `${name}=${value}`).join('&')
  return text === '' ? '' : `?${text}`
}

function queryValue({ name, schema }: ApiParameter, random: Random): string {
  if (random.chance(0.1)) {
    const value = random.pick(NAUGHTY)
    const text = typeof value === 'string' && value.isWellFormed() ? value : JSON.stringify(value)
    return encodeURIComponent(text.toWellFormed()).slice(0, 600)
  }
  if (name === 'dateFrom') return String(random.pick([0, -5, random.below(4_102_444_800)]))
  if (name === 'dateTo') return String(random.pick([4_102_444_800, 0, -5]))
  return String(fitting(schema, random))
}

function headersOf(operation: ApiOperation, cast: Cast, random: Random): string[] {
  const headers = credentialsOf(operation, cast, random)
  for (const { name } of operation.parameters.filter((parameter) => parameter.in === 'header')) {
    const given = headers.some((line) => line.startsWith(`${name}:`))
    if (!given && random.chance(0.2)) headers.push(`${name}: ${headerValue(random)}`)
  }
  if (random.chance(0.15)) {
    const names = ['X-Forwarded-For', 'X-Real-Ip', 'X-User-Id', 'Cookie', 'Accept', 'Origin', 'User-Agent']
    headers.push(`${random.pick(names)}: ${headerValue(random)}`)
  }
  return headers
}

/** Credentials that open the route in most cases, and otherwise all kinds of others. */
function credentialsOf(operation: ApiOperation, cast: Cast, random: Random): string[] {
  const lines: string[] = []
  const { operationId, security } = operation
  const refreshes = operationId === 'refreshToken'
  const either = refreshes || operationId === 'signOut' || operationId === 'verify'
  if (random.chance(0.06)) return lines
  const spoil = (text: string) =>
    random.chance(0.12) ? headerSafe(mutated(Buffer.from(text), random)) : text
  if (security.some((one) => 'applicationKey' in one) || random.chance(0.1)) {
    lines.push(`X-Auth-Key: ${spoil(random.pick(cast.keys))}`)
  }
  if (security.some((one) => 'accessToken' in one) || (either && !refreshes)) {
    const token = spoil(
      !endsItself(operation) && random.chance(0.7) ? cast.adminToken : random.pick(cast.otherTokens),
    )
    lines.push(random.chance(0.3) ? `Authorization: Bearer ${token}` : `Access-Token: ${token}`)
  }
  if (refreshes || random.chance(0.1)) {
    const name = random.pick(['Refresh-Token', 'X-Refresh-Token'])
    lines.push(`${name}: ${spoil(random.pick([...cast.refreshTokens, cast.adminToken]))}`)
  }
  if (random.chance(0.03)) lines.push(...lines)
  return lines
}

/** Whether the request, if it succeeds, ends its own session. */
function endsItself({ method, path }: ApiOperation): boolean {
  return method === 'DELETE' && !path.startsWith('/users')
}

function headerValue(random: Random): string {
  const value = random.pick(NAUGHTY)
  const text = typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value)
  return headerSafe(Buffer.from(text)).slice(0, 600)
}

/** What HTTP allows within a header: no control characters. */
function headerSafe(bytes: Buffer): string {
  const safe = bytes.map((byte) => ((byte < 0x20 && byte !== 0x09) || byte === 0x7f ? 0x3f : byte))
  return Buffer.from(safe).toString('latin1')
}

/** Percent-encodes the bytes above 0x7f, which may not stand in a request line. */
function asciiOnly(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\x80-\xff]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
}
