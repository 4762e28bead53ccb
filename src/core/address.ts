import { isIPv6 } from 'node:net'

const V4_IN_V6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
/** The same address in hexadecimal digits. */
const V4_IN_HEX = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/i

/**
 * The key under which requests of an address are counted: the address itself for IPv4, and its /64 for IPv6, since one
 * customer has a whole /64. All spellings of an address give the same key.
 */
export function addressKey(address: string): string {
  const v4 = v4Of(address)
  if (v4 !== null) return v4
  const bare = address.split('%')[0] as string
  if (!isIPv6(bare)) return bare
  const [head = '', tail] = bare.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  // A dotted IPv4 tail stands for two groups; only the number of groups matters here.
  const missing = tail === undefined ? 0 : 8 - left.length - right.length - (bare.includes('.') ? 1 : 0)
  const groups = [...left, ...Array<string>(Math.max(0, missing)).fill('0'), ...right]
  const first = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${first.join(':')}::/64`
}

/** The IPv4 address that an IPv4-mapped IPv6 address stands for; null for any other address. */
function v4Of(address: string): string | null {
  const dotted = V4_IN_V6.exec(address)?.[1]
  if (dotted !== undefined) return dotted
  const [, high, low] = V4_IN_HEX.exec(address) ?? []
  if (high === undefined || low === undefined) return null
  const bytes = [high, low].flatMap((group) => {
    const number = Number.parseInt(group, 16)
    return [number >> 8, number & 255]
  })
  return bytes.join('.')
}
