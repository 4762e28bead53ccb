import type { KeyRing } from '../tokens/key-ring.ts'
import { json } from './answer.ts'
import type { HttpRoute } from './route.ts'

/**
 * `GET /.well-known/jwks.json` (RFC 7517). May be cached for five minutes: keys stand here for ten before they sign.
 * Served from memory, so that verifiers go on while the store cannot answer. Empty with HS256.
 */
export function keySetRoute(keys: KeyRing): HttpRoute {
  const schema = {
    type: 'object',
    properties: { keys: { type: 'array', items: { type: 'object' } } },
    required: ['keys'],
  }
  return {
    method: 'GET',
    path: '/.well-known/jwks.json',
    isPublic: true,
    handle: () => json(200, keys.publicKeys(), { 'Cache-Control': 'public, max-age=300' }),
    operation: {
      operationId: 'keySet',
      summary: 'The public keys that verify access tokens; empty with HS256',
      tags: ['System'],
      security: [],
      responses: { 200: { description: 'A JWK set.', content: { 'application/json': { schema } } } },
    },
  }
}
