import { isIPv6 } from 'node:net'

/** The eight groups of an IPv6 address, 16 bits each. */
type Groups = [number, number, number, number, number, number, number, number]

/**
 * The key under which requests of an address are counted: the address itself for IPv4, and its /64 for IPv6, since one
 * customer has a whole /64. All spellings of an address give the same key, with and without a zone. An IPv6 address that
 * carries an IPv4 address counts as that one; otherwise all clients behind a translator would share a /64.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  const zone = address.indexOf('%')
  const bare = zone === -1 ? address : address.slice(0, zone)
  if (!isIPv6(bare)) return address
  const [a, b, c, d, e, f, high, low] = groupsOf(bare)
  // ::ffff:0:0/96 (RFC 4291, 2.5.5.2) and 64:ff9b::/96, that of NAT64 (RFC 6052, 2.1).
  const isMapped = (a | b | c | d | e) === 0 && f === 0xffff
  const isTranslated = a === 0x64 && b === 0xff9b && (c | d | e | f) === 0
  if (isMapped || isTranslated) return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  return `${a.toString(16)}:${b.toString(16)}:${c.toString(16)}:${d.toString(16)}::/64`
}

/** `address` is a valid IPv6 address without a zone. */
function groupsOf(address: string): Groups {
  const [head = '', tail = ''] = address.split('::')
  const left = numbersOf(head)
  const right = numbersOf(tail)
  while (left.length + right.length < 8) left.push(0)
  return left.concat(right) as Groups
}

function numbersOf(part: string): number[] {
  const numbers: number[] = []
  if (part === '') return numbers
  for (const group of part.split(':')) {
    if (group.includes('.')) {
      const [first, second, third, fourth] = group.split('.').map(Number) as [number, number, number, number]
      numbers.push(first * 256 + second, third * 256 + fourth)
    } else numbers.push(Number.parseInt(group, 16))
  }
  return numbers
}
