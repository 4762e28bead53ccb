/** Forgeries that change the payload or the signature of a genuine token, or spell the token differently. */
import { claimsOf } from '../keys.ts'
import { type Forgery, type Target, b64, parts } from './forgery.ts'

/** The orders of the groups of P-256 and Ed25519. */
const N_P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const L_ED25519 = 2n ** 252n + 27742317777372353535851937790883648493n

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export function* signatureForgeries(target: Target): Generator<Forgery> {
  const { genuine } = target
  const [header, payload, signature] = parts(genuine)
  const claims = claimsOf(genuine)
  const account = claims['account'] as object
  const changes: readonly object[] = [
    { sub: '1' },
    { exp: 4_102_444_800 },
    { account: { ...account, userId: 1 } },
    { account: { ...account, roleId: 1 } },
    { sid: 'another' },
    { gen: 1000 },
    { iss: null },
  ]
  for (const change of changes) {
    const other = b64(JSON.stringify({ ...claims, ...change }))
    yield { id: 'JA-01', name: JSON.stringify(change), token: `${header}.${other}.${signature}` }
  }
  for (const [name, bytes] of turnedSignatures(target)) {
    yield { id: 'JA-11', name, token: `${header}.${payload}.${b64(bytes)}` }
  }
  for (const [name, token] of otherSpellings(header, payload, signature)) yield { id: 'JA-18', name, token }
  for (const [name, token] of sameTokenOtherwise(genuine)) yield { id: 'JA-20', name, token }
}

function* turnedSignatures({ genuine, key }: Target): Generator<[string, Buffer]> {
  const signature = Buffer.from(genuine.split('.')[2] ?? '', 'base64url')
  const zeros = Buffer.alloc(signature.length)
  yield ['nothing but zeros', zeros]
  yield ['nothing but ones', Buffer.alloc(signature.length, 255)]
  yield ['a zero in front', Buffer.concat([Buffer.alloc(1), signature])]
  yield ['a zero behind', Buffer.concat([signature, Buffer.alloc(1)])]
  yield ['twice', Buffer.concat([signature, signature])]
  yield ['backwards', Buffer.from(signature).reverse()]
  if (key.algorithm === 'ES256') {
    const r = signature.subarray(0, 32)
    const s = BigInt(`0x${signature.subarray(32).toString('hex')}`)
    const big = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
    yield ['r = 0', Buffer.concat([Buffer.alloc(32), big(s)])]
    yield ['s = 0', Buffer.concat([r, Buffer.alloc(32)])]
    yield ['r = s = n', Buffer.concat([big(N_P256), big(N_P256)])]
    yield ['r = s = 1', Buffer.concat([big(1n), big(1n)])]
    yield ['the other s of the same signature', Buffer.concat([r, big(N_P256 - s)])]
    yield ['DER instead of two numbers', derOf(genuine, key)]
  }
  if (key.algorithm === 'EdDSA') {
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`)
    const shifted = Buffer.from((s + L_ED25519).toString(16).padStart(64, '0'), 'hex').reverse()
    yield ['s moved by the order of the group', Buffer.concat([signature.subarray(0, 32), shifted])]
    const neutral = Buffer.alloc(64)
    neutral[0] = 1
    yield ['the neutral point and s = 0', neutral]
  }
  if (key.algorithm === 'RS256') {
    const n = BigInt(`0x${Buffer.from(String(key.publicJwk()?.['n']), 'base64url').toString('hex')}`)
    const value = BigInt(`0x${signature.toString('hex')}`)
    yield ['one', Buffer.from('1'.padStart(512, '0'), 'hex')]
    yield ['moved by the modulus', Buffer.from((value + n).toString(16).padStart(514, '0'), 'hex')]
    yield ['its negative', Buffer.from((n - value).toString(16).padStart(512, '0'), 'hex')]
  }
}

/** The two numbers of a genuine signature, encoded in ASN.1 DER. */
function derOf(genuine: string, key: Target['key']): Buffer {
  const [header, payload] = parts(genuine)
  const raw = Buffer.from(key.sign(`${header}.${payload}`), 'base64url')
  const integer = (bytes: Buffer) => {
    const trimmed = Buffer.from(bytes.toString('hex').replace(/^(00)+/, ''), 'hex')
    const signed = (trimmed[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), trimmed]) : trimmed
    return Buffer.concat([Buffer.from([2, signed.length]), signed])
  }
  const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))])
  return Buffer.concat([Buffer.from([0x30, body.length]), body])
}

/** Spellings that a lenient base64url decoder may take for the same bytes. */
function* otherSpellings(header: string, payload: string, signature: string): Generator<[string, string]> {
  const segments = [header, payload, signature]
  for (const [i, name] of ['header', 'payload', 'signature'].entries()) {
    const text = segments[i] as string
    const written = (other: string) => segments.map((one, at) => (at === i ? other : one)).join('.')
    yield [`padding in the ${name}`, written(`${text}=`)]
    yield [`double padding in the ${name}`, written(`${text}==`)]
    yield [`a space in the ${name}`, written(`${text.slice(0, 5)} ${text.slice(5)}`)]
    yield [`a tab in the ${name}`, written(`${text.slice(0, 5)}\t${text.slice(5)}`)]
    yield [`a line break in the ${name}`, written(`${text.slice(0, 5)}\n${text.slice(5)}`)]
    yield [`a NUL in the ${name}`, written(`${text.slice(0, 5)}\0${text.slice(5)}`)]
    yield [`the plain alphabet in the ${name}`, written(text.replaceAll('-', '+').replaceAll('_', '/'))]
    yield [`one character more in the ${name}`, written(`${text}A`)]
    for (const last of ALPHABET.split('')) {
      if (!text.endsWith(last))
        yield [`the last character ${last} in the ${name}`, written(text.slice(0, -1) + last)]
    }
  }
}

function* sameTokenOtherwise(genuine: string): Generator<[string, string]> {
  const [header, payload, signature] = parts(genuine)
  const spaced = b64(JSON.stringify(claimsOf(genuine), null, 1))
  const reversed = b64(JSON.stringify(Object.fromEntries(Object.entries(claimsOf(genuine)).reverse())))
  yield ['the claims with spaces', `${header}.${spaced}.${signature}`]
  yield ['the claims in another order', `${header}.${reversed}.${signature}`]
  yield ['in quotes', `"${genuine}"`]
  yield ['after the word Bearer', `Bearer ${genuine}`]
  yield ['with a full stop in front', `.${genuine}`]
  yield ['with full stops in percent', genuine.replaceAll('.', '%2E')]
  yield ['in lower case', genuine.toLowerCase()]
  yield ['with a comma behind', `${genuine},`]
  yield ['twice, as a repeated header arrives', `${genuine}, ${genuine}`]
  yield ['with full stops of another script', genuine.replaceAll('.', '。')]
  // The inserted letter is beyond Latin-1, but its low byte is the right letter: cut to one byte, the token is genuine.
  for (const at of [0, header.length + 1, header.length + payload.length + 2, genuine.length - 1]) {
    const letter = String.fromCharCode(genuine.charCodeAt(at) + 0x100)
    yield [`with ${letter} at ${at}`, genuine.slice(0, at) + letter + genuine.slice(at + 1)]
  }
}
