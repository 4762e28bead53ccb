/** An address has many spellings and one key, under which its requests are counted. */
import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { addressKey } from '../../src/core/address.ts'

const RUNS = { numRuns: 5000 }

/** A way to spell an IPv6 address. */
interface Spelling {
  /** Which run of zeros becomes `::`; there may be none, or several to choose from. */
  readonly run: number
  /** Leading zeros of each group, as many as fit. */
  readonly zeros: readonly number[]
  readonly isUpper: boolean
  /** Whether the last two groups are in the dotted form. */
  readonly isDotted: boolean
  readonly zone: string
}

const spelling: fc.Arbitrary<Spelling> = fc.record({
  run: fc.nat(50),
  zeros: fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }),
  isUpper: fc.boolean(),
  isDotted: fc.boolean(),
  zone: fc.constantFrom('', '%eth0', '%1'),
})
const byte = fc.nat(255)
const v4 = fc.tuple(byte, byte, byte, byte)
/** Groups with many zeros, and with those that mark the ranges for IPv4. */
const group = fc.oneof(fc.constant(0), fc.constantFrom(1, 0x64, 0xff9b, 0xffff), fc.nat(0xffff))
const v6 = fc.array(group, { minLength: 8, maxLength: 8 })

const MAPPED = [0, 0, 0, 0, 0, 0xffff]
const TRANSLATED = [0x64, 0xff9b, 0, 0, 0, 0]

function spelled(groups: readonly number[], { run, zeros, isUpper, isDotted, zone }: Spelling): string {
  const texts = groups.map((value, i) => {
    const text = value.toString(16)
    return text.padStart(Math.min(4, text.length + (zeros[i] ?? 0)), '0')
  })
  if (isDotted) texts.splice(6, 2, dotted(groups.slice(6)))
  const zeroRuns = texts.flatMap((_, from) =>
    texts.slice(from).flatMap((__, i) => {
      const isRun = texts.slice(from, from + i + 1).every((text) => /^0+$/.test(text))
      return isRun ? [{ from, length: i + 1 }] : []
    }),
  )
  const chosen = zeroRuns[run % (zeroRuns.length + 1)]
  const head = chosen === undefined ? texts : texts.slice(0, chosen.from)
  const tail = chosen === undefined ? [] : texts.slice(chosen.from + chosen.length)
  const text = head.join(':') + (chosen === undefined ? '' : `::${tail.join(':')}`)
  return (isUpper ? text.toUpperCase() : text) + zone
}

/** The dotted form of two groups. */
function dotted(groups: readonly number[]): string {
  return groups.flatMap((value) => [Math.floor(value / 256), value % 256]).join('.')
}

function carriesV4(groups: readonly number[]): boolean {
  const prefix = groups.slice(0, 6).join()
  return prefix === MAPPED.join() || prefix === TRANSLATED.join()
}

test('an IPv4 address has one key in every spelling, of itself and within IPv6', () => {
  const property = fc.property(v4, fc.constantFrom(MAPPED, TRANSLATED), spelling, (bytes, prefix, how) => {
    const address = bytes.join('.')
    const [first, second, third, fourth] = bytes
    const written = spelled([...prefix, first * 256 + second, third * 256 + fourth], how)
    assert.equal(isIP(written), 6, written)
    assert.equal(addressKey(address), address)
    assert.equal(addressKey(written), address, written)
  })
  fc.assert(property, RUNS)
})

test('an IPv6 address has one key in every spelling', () => {
  const property = fc.property(v6, spelling, (groups, how) => {
    const written = spelled(groups, how)
    assert.equal(isIP(written), 6, written)
    const network = groups.slice(0, 4).map((value) => value.toString(16))
    const key = carriesV4(groups) ? dotted(groups.slice(6)) : `${network.join(':')}::/64`
    assert.equal(addressKey(written), key, written)
  })
  fc.assert(property, RUNS)
})

test('two /64 have two keys, and so have an IPv4 address and each /64', () => {
  const property = fc.property(v6, v6, spelling, v4, (one, other, how, bytes) => {
    fc.pre(one.slice(0, 4).join() !== other.slice(0, 4).join() && !carriesV4(one))
    assert.notEqual(addressKey(spelled(one, how)), addressKey(spelled(other, how)))
    assert.notEqual(addressKey(spelled(one, how)), addressKey(bytes.join('.')))
  })
  fc.assert(property, RUNS)
})

describe('in particular', () => {
  const rows = [
    ['1.2.3.4', '1.2.3.4'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:102:304', '1.2.3.4'],
    ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
    ['0:0:0:0:0:ffff:102:304', '1.2.3.4'],
    ['::0:ffff:1.2.3.4', '1.2.3.4'],
    ['::ffff:1.2.3.4%eth0', '1.2.3.4'],
    ['64:ff9b::1.2.3.4', '1.2.3.4'],
    ['::ffff:255.255.255.255', '255.255.255.255'],
    ['::ffff:0:0', '0.0.0.0'],
    // Near the ranges that carry IPv4, but outside.
    ['::1', '0:0:0:0::/64'],
    ['::1.2.3.4', '0:0:0:0::/64'],
    ['::ffff:0:1.2.3.4', '0:0:0:0::/64'],
    ['::1:0:ffff:1.2.3.4', '0:0:0:1::/64'],
    ['64:ff9b:1::1.2.3.4', '64:ff9b:1:0::/64'],
    ['64:ff9b::1:0:1.2.3.4', '64:ff9b:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    // What is no address is nobody else's key.
    ['', ''],
    ['unknown', 'unknown'],
    ['::ffff:1.2.3.256', '::ffff:1.2.3.256'],
    ['1.2.3.4:80', '1.2.3.4:80'],
  ] as const
  for (const [address, key] of rows)
    test(`${address} has the key ${key}`, () => assert.equal(addressKey(address), key))
})
