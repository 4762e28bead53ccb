/** Finds out which address a request comes from. */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/** The client's address, always a valid one. An IPv4 client on an IPv6 socket has its plain IPv4 address. */
export type AddressReader = (request: IncomingMessage) => string

/** `trusted` lists the addresses and networks of the proxies whose `X-Forwarded-For` counts. */
export async function addressReader(trusted: readonly string[]): Promise<AddressReader> {
  if (trusted.length === 0) return (request) => plain(socketAddress(request))
  const { default: proxyAddress } = await import('@fastify/proxy-addr')
  const isProxy = proxyAddress.compile([...trusted])
  const isTrusted: typeof isProxy = (address, hop) => isProxy(withoutPort(address), hop)
  return (request) => {
    const address = withoutPort(proxyAddress(request, isTrusted))
    // A proxy may pass on a value that is no address; the socket's address, which is the proxy's, then counts instead.
    return plain(isIP(address) === 0 ? socketAddress(request) : address)
  }
}

/** Always known: `server.ts` destroys a connection whose client's address is already lost. */
function socketAddress(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? '0.0.0.0'
}

function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** Some proxies write the port too: `192.0.2.1:1234`, `[2001:db8::1]:1234`. */
function withoutPort(address: string): string {
  return /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]*)\](?::\d+)?)$/.exec(address)?.slice(1).join('') ?? address
}
