/** Bodies made from a schema of the API reference. */
import type { Schema } from '../support/json-schema.ts'
import type { ApiOperation } from '../support/openapi.ts'
import type { Random } from '../support/random.ts'
import type { Cast } from './cast.ts'
import { NAUGHTY, fitting, mutated, randomBytes } from './values.ts'

export interface FuzzBody {
  readonly headers: readonly string[]
  readonly bytes: Buffer
}

/** Hashing is slow, so few of the bodies that set or check a password pass the rules. */
const GOOD_WITH_PASSWORD = 0.04
const GOOD = 0.4
const MOST_BYTES = 16 * 1024

export function bodyOf(operation: ApiOperation, cast: Cast, random: Random): FuzzBody {
  const bytes = bytesOf(operation.body ?? {}, cast, random)
  const type = random.chance(0.9)
    ? random.pick(['application/json', 'application/json; charset=utf-8', 'Application/JSON;x="y"'])
    : random.pick(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', '', ';', 'a/b'])
  const headers = type === '' ? [] : [`Content-Type: ${type}`]
  if (!random.chance(0.1)) return { headers: [...headers, `Content-Length: ${bytes.length}`], bytes }
  return { headers: [...headers, 'Transfer-Encoding: chunked'], bytes: chunked(bytes, random) }
}

function chunked(bytes: Buffer, random: Random): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const part = bytes.subarray(at, at + 1 + random.below(200))
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
    at += part.length
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

function bytesOf(schema: Schema, cast: Cast, random: Random): Buffer {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>
  const exact = schema['required'] !== undefined
  const value = objectOf(properties, exact, cast, random)
  const good = random.chance('password' in value ? GOOD_WITH_PASSWORD : GOOD)
  if (good) return Buffer.from(JSON.stringify(value))
  const broken = spoiled(value, Object.keys(properties), random)
  const text = Buffer.from(broken)
  switch (random.below(20)) {
    case 0:
      return mutated(text, random)
    case 1:
      return text.subarray(0, random.below(text.length))
    case 2:
      return randomBytes(random, random.below(200))
    case 3:
      return Buffer.from(random.pick(['', ' ', '[]', '[{}]', '"x"', '7', 'null', 'true', '{}', '\ufeff{}']))
    case 4:
      return Buffer.from('[{"a":'.repeat(1 + random.below(400)))
    case 5:
      return random.chance(0.2) ? Buffer.alloc(MOST_BYTES + 1 + random.below(5000), 0x20) : text
    default:
      return text
  }
}

function objectOf(
  properties: Readonly<Record<string, Schema>>,
  exact: boolean,
  cast: Cast,
  random: Random,
): Record<string, unknown> {
  // A sign-in succeeds only with the credentials of an account that exists.
  const names = Object.keys(properties)
  if (exact && names.length === 2 && random.chance(0.5)) return { ...cast.person }
  const chosen = exact ? names : names.filter((name) => random.chance(name === 'password' ? 0.1 : 0.4))
  return Object.fromEntries(chosen.map((name) => [name, fitting(properties[name] as Schema, random)]))
}

/** A good object as text, with at least one value that the rules refuse. */
function spoiled(value: Record<string, unknown>, names: readonly string[], random: Random): string {
  const spoilt: Record<string, unknown> = { ...value }
  const certain = random.pick(names.length === 0 ? ['x'] : names)
  for (let times = random.below(3); times > 0; times--) {
    const name = random.pick([...names, 'x'])
    if (random.chance(0.3)) delete spoilt[name]
    else spoilt[name] = random.pick(NAUGHTY)
  }
  // No rule accepts these values for any field.
  spoilt[certain] = random.pick(['', '\0', [], {}, 1.5, false, 'a'.repeat(5000)])
  if (random.chance(0.1)) spoilt[random.pick(['userId', 'toString', 'roleid', ''])] = 1
  const text = JSON.stringify(spoilt)
  if (random.chance(0.05)) return text.replace('{', '{"__proto__":{"roleId":1},')
  return random.chance(0.05) ? text.replace('{', `{"${certain}":"first",`) : text
}
