/** HTTP by hand, so that headers, bodies and paths reach the server exactly as written. */
import { type IncomingHttpHeaders, request } from 'node:http'

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export function send(
  base: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer | null = null,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(base)
  // Node's client frames the body of a DELETE only if a header tells it how.
  const framed =
    body === null || 'Transfer-Encoding' in headers
      ? headers
      : { 'Content-Length': String(Buffer.byteLength(body)), ...headers }
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: hostname, port, method, path, headers: framed, timeout: 10_000 },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text })
        })
        incoming.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    if (body !== null) outgoing.write(body)
    outgoing.end()
  })
}

/** Sends JSON and reads JSON. */
export async function sendJson(
  base: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Record<string, unknown> }> {
  const text = body === undefined ? null : JSON.stringify(body)
  const typed = text === null ? headers : { 'Content-Type': 'application/json', ...headers }
  const answer = await send(base, method, path, typed, text)
  const parsed = answer.text === '' ? {} : (JSON.parse(answer.text) as Record<string, unknown>)
  return { status: answer.status, headers: answer.headers, body: parsed }
}
