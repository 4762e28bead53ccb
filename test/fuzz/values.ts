/** Values that fit a schema, values that break programs, and bytes turned over. */
import type { Schema } from '../support/json-schema.ts'
import type { Random } from '../support/random.ts'

/** Values that have broken parsers, databases, templates or terminals before. */
export const NAUGHTY: readonly unknown[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\udc00x',
  '\u202eabc',
  '\ufeff{}',
  '😀'.repeat(40),
  'Ａｎｉ',
  'ﬀ@example.com',
  "'; drop table accounts; --",
  '" or 1=1',
  '%s%n%x',
  '${7*7}',
  '../../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  'true',
  'null',
  'NaN',
  '1e309',
  '-1',
  '0x10',
  '١٢٣',
  'a'.repeat(300),
  'a'.repeat(5000),
  0,
  -0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  -(2 ** 63),
  true,
  false,
  null,
  [],
  [[]],
  {},
  { toString: 1 },
  { length: 3 },
  ['a@example.com'],
  { $ne: null },
]

/** A value that the schema allows, as far as the keywords read here tell. */
export function fitting(schema: Schema, random: Random): unknown {
  if (Array.isArray(schema['enum'])) return random.pick(schema['enum'] as unknown[])
  if (schema['type'] === 'integer') {
    const least = Number(schema['minimum'] ?? 0)
    return least + random.below(random.pick([2, 20, 100_000]))
  }
  if (schema['format'] === 'email') return `fuzz-${random.below(1e9)}@example.com`
  if (schema['format'] === 'password') return `Fuzzed-${random.below(1e9)}`
  const min = Number(schema['minLength'] ?? 1)
  const max = Math.min(Number(schema['maxLength'] ?? 20), 40)
  return random.pick(['a', 'Ա', '😀', '-']).repeat(min + random.below(max - min + 1))
}

/** The bytes with a few random changes: some replaced, left out, repeated or inserted, or the end cut off. */
export function mutated(bytes: Buffer, random: Random): Buffer {
  let result: Buffer = Buffer.from(bytes)
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(result.length + 1)
    const [before, after] = [result.subarray(0, at), result.subarray(at)]
    const some = Buffer.from([random.pick([0, 9, 10, 13, 32, 34, 37, 47, 58, 92, 127, 128, 255]), 0x41])
    switch (random.below(6)) {
      case 0:
        result = Buffer.concat([before, some.subarray(0, 1), after])
        break
      case 1:
        result = Buffer.concat([before, after.subarray(1 + random.below(8))])
        break
      case 2:
        result = Buffer.concat([before, after.subarray(0, 1 + random.below(64)), after])
        break
      case 3:
        result = before
        break
      case 4:
        if (at < result.length) result.writeUInt8(random.below(256), at)
        break
      default:
        result = Buffer.concat([before, randomBytes(random, random.below(32)), after])
    }
  }
  return result
}

export function randomBytes(random: Random, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => random.below(256)))
}
