import type { KeyRing } from '../tokens/key-ring.ts'
import { json } from './answer.ts'
import type { HttpRoute } from './route.ts'

/**
 * `GET /.well-known/jwks.json` (RFC 7517). Caches may keep it for five minutes, since rotation publishes a key here ten
 * minutes before the key signs. It is served from memory, so that verifiers can go on while the store cannot answer.
 * HS256 keys are not part of it.
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
      summary: 'The public keys that verify access tokens; HS256 has none',
      tags: ['System'],
      security: [],
      responses: { 200: { description: 'A JWK set.', content: { 'application/json': { schema } } } },
    },
  }
}
