/** Reads request bodies with one parser that bounds their size and depth. The server's time-outs bound the time. */
import type { IncomingMessage } from 'node:http'
import { LIMITS } from '../settings/limits.ts'

export type BodyProblem =
  | 'too-large'
  | 'wrong-type'
  | 'empty'
  | 'not-utf8'
  | 'too-deep'
  | 'syntax'
  | 'not-an-object'
  | 'aborted'

export type JsonObject = Readonly<Record<string, unknown>>
export type BodyResult = { readonly value: JsonObject } | { readonly problem: BodyProblem }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads the JSON object in a request's body. The media type must be `application/json`; parameters are accepted. The body
 * must not be compressed.
 */
export async function readJsonObject(request: IncomingMessage): Promise<BodyResult> {
  const bytes = await readBytes(request)
  if (!Buffer.isBuffer(bytes)) return bytes
  if (bytes.length === 0) return { problem: 'empty' }
  if (!/^application\/json[ \t]*(;|$)/i.test(request.headers['content-type'] ?? ''))
    return { problem: 'wrong-type' }
  if (!/^(?:identity)?$/i.test(request.headers['content-encoding'] ?? '')) return { problem: 'wrong-type' }
  return parseJsonObject(bytes)
}

function parseJsonObject(bytes: Buffer): BodyResult {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return { problem: 'not-utf8' }
  }
  if (depth(text) > LIMITS.jsonDepth) return { problem: 'too-deep' }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { problem: 'syntax' }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { problem: 'not-an-object' }
  return { value: value as JsonObject }
}

function readBytes(request: IncomingMessage): Promise<Buffer | { problem: BodyProblem }> {
  // The client has hung up before anybody listened: no event will follow.
  if (request.destroyed) return Promise.resolve({ problem: 'aborted' })
  if (Number(request.headers['content-length'] ?? 0) > LIMITS.bodyBytes) {
    return Promise.resolve({ problem: 'too-large' })
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > LIMITS.bodyBytes) {
        request.pause()
        resolve({ problem: 'too-large' })
        return
      }
      chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', () => resolve({ problem: 'aborted' }))
    request.on('close', () => resolve({ problem: 'aborted' }))
  })
}

/** How deeply brackets nest outside of strings. Asked first: what nests too deep is called that, whatever else is wrong. */
function depth(text: string): number {
  let deepest = 0
  let open = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (inString) {
      if (c === 0x5c) i++
      else if (c === 0x22) inString = false
    } else if (c === 0x22) inString = true
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++open)
    else if (c === 0x7d || c === 0x5d) open--
  }
  return deepest
}
