/** Where a request comes from. */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/** The other side's address, always a valid one; IPv4 as such, also where the socket is one of IPv6. */
export type AddressReader = (request: IncomingMessage) => string

/** `trusted`: addresses and networks of proxies whose `X-Forwarded-For` counts. */
export async function addressReader(trusted: readonly string[]): Promise<AddressReader> {
  if (trusted.length === 0) return (request) => plain(socketAddress(request))
  const { default: proxyAddress } = await import('@fastify/proxy-addr')
  const isTrusted = proxyAddress.compile([...trusted])
  return (request) => {
    const address = proxyAddress(request, isTrusted)
    // A proxy may pass on nonsense; then the proxy itself is the other side.
    return plain(isIP(address) === 0 ? socketAddress(request) : address)
  }
}

/** Known, since requests of those who have hung up are not served. */
function socketAddress(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? '0.0.0.0'
}

function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
