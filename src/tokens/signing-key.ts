/** One signing key, bound to one purpose and one algorithm (RFC 8725, section 3.1). */
import {
  type KeyObject,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import type { KeyPurpose } from '../store/store.ts'
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import { hmacSha256 } from './hmac.ts'

/** A public key as a JSON Web Key (RFC 7517). */
export type PublicJwk = Readonly<Record<string, unknown>>

export type Algorithm = 'HS256' | 'ES256' | 'EdDSA' | 'RS256'

export interface SigningKey {
  readonly kid: string
  readonly purpose: KeyPurpose
  readonly algorithm: Algorithm
  /** The first segment of every token that this key signs. Tokens are matched to keys by it; no header is parsed. */
  readonly headerSegment: string
  readonly activeAtMs: number
  readonly retireAtMs: number | null
  /** The signature of `input`, base64url. */
  sign(input: string): string
  verify(input: string, signature: string): boolean
  /** The public key as a JWK with `kid`, `alg` and `use`; null for HS256, which has no public key. */
  publicJwk(): PublicJwk | null
  /** The verification secret of HS256, to be handed to the operator of a resource server; null otherwise. */
  sharedSecret(): Buffer | null
}

type Signature = Pick<SigningKey, 'sign' | 'verify' | 'publicJwk' | 'sharedSecret'>

/** Fresh secret key material: 256 random bits, or a private key as PKCS #8. */
export function generateKeyMaterial(algorithm: Algorithm): Buffer {
  const pkcs8 = { type: 'pkcs8', format: 'der' } as const
  switch (algorithm) {
    case 'HS256':
      return randomBytes(32)
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pkcs8)
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey.export(pkcs8)
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pkcs8)
  }
}

/** The key made of `material`, which is of the form that `generateKeyMaterial` gives. */
export function createSigningKey(
  facts: Pick<SigningKey, 'kid' | 'purpose' | 'algorithm' | 'activeAtMs' | 'retireAtMs'>,
  material: Uint8Array,
): SigningKey {
  const { kid, algorithm } = facts
  // The order of the published contract (section 5), after which a `kid` may follow.
  const headerSegment = encodeBase64url(JSON.stringify({ typ: 'JWT', cty: 'JWT', alg: algorithm, kid }))
  const signature = algorithm === 'HS256' ? hmac(material) : asymmetric(kid, algorithm, material)
  return { ...facts, headerSegment, ...signature }
}

/** 256 bits in base64url. */
const MAC_CHARACTERS = 43

function hmac(material: Uint8Array): Signature {
  const mac = hmacSha256(material)
  const expected = Buffer.alloc(MAC_CHARACTERS)
  const given = Buffer.alloc(MAC_CHARACTERS)
  return {
    sign: mac,
    verify(input, signature) {
      if (signature.length !== MAC_CHARACTERS) return false
      expected.write(mac(input))
      // Compared as text, so that only the canonical spelling passes, and as UTF-8: Latin-1 would map letters of other
      // scripts to ASCII ones. The length is checked because a last character that does not fit is not written, which
      // leaves a byte of an older signature there.
      return given.write(signature) === MAC_CHARACTERS && timingSafeEqual(given, expected)
    },
    publicJwk: () => null,
    sharedSecret: () => Buffer.from(material),
  }
}

function asymmetric(kid: string, algorithm: Exclude<Algorithm, 'HS256'>, material: Uint8Array): Signature {
  const privateKey = createPrivateKey({ key: Buffer.from(material), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  const digest = algorithm === 'EdDSA' ? null : 'sha256'
  // RFC 7518, section 3.4: the signature of ES256 is R and S side by side, 64 bytes.
  const withKey = (key: KeyObject) => ({ key, dsaEncoding: 'ieee-p1363' as const })
  return {
    sign(input) {
      const bytes = sign(digest, Buffer.from(input), withKey(privateKey))
      return (algorithm === 'ES256' ? withLowS(bytes) : bytes).toString('base64url')
    },
    verify(input, signature) {
      const bytes = decodeBase64url(signature)
      if (bytes === null || (algorithm === 'ES256' && !hasLowS(bytes))) return false
      return verify(digest, Buffer.from(input), withKey(publicKey), bytes)
    },
    publicJwk: () => ({ ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' }),
    sharedSecret: () => null,
  }
}

/** The order of the group of P-256 (FIPS 186-5). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/**
 * If `s` makes a valid signature, so does its negative, which anybody can compute. Only the lower of the two is written
 * and accepted here, so that a token has one spelling; other verifiers accept either.
 */
function hasLowS(signature: Buffer): boolean {
  return sOf(signature) <= P256_ORDER / 2n
}

function withLowS(signature: Buffer): Buffer {
  if (hasLowS(signature)) return signature
  const negative = (P256_ORDER - sOf(signature)).toString(16).padStart(64, '0')
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(negative, 'hex')])
}

function sOf(signature: Buffer): bigint {
  return BigInt(`0x0${signature.subarray(32).toString('hex')}`)
}
