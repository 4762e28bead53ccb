/**
 * Forged tokens of every known class, made from a genuine token. The classes are those that security testers of JWT go
 * through (jwt_tool's playbook, the labs of PortSwigger, advisories).
 */
import { algorithmForgeries } from './algorithms.ts'
import { claimForgeries } from './claims.ts'
import type { Forgery, Target } from './forgery.ts'
import { formForgeries } from './forms.ts'
import { headerForgeries } from './headers.ts'
import { signatureForgeries } from './signatures.ts'

export const CLASSES: Readonly<Record<Forgery['id'], string>> = {
  'JA-01': 'changed claims under a genuine signature',
  'JA-02': 'the algorithm "none" and its spellings',
  'JA-03': 'no signature',
  'JA-04': 'a blank HMAC key',
  'JA-05': 'common secrets',
  'JA-06': 'the public key taken for an HMAC secret',
  'JA-07': 'a key that the token brings along',
  'JA-08': 'a key that the token says where to fetch',
  'JA-09': 'a key id that leads elsewhere',
  'JA-10': 'critical extensions that nobody knows',
  'JA-11': 'signatures that are no numbers of a signature',
  'JA-12': 'another type of token',
  'JA-13': 'times that are no times',
  'JA-14': 'claims of somebody else or of another type',
  'JA-15': 'doubled members and other spellings of the header',
  'JA-16': 'another number of parts, and tokens within tokens',
  'JA-17': 'what becomes large when it is unpacked',
  'JA-18': 'other spellings of base64url',
  'JA-19': 'a token cut short',
  'JA-20': 'the same claims as another text',
}

export function* forgeries(target: Target): Generator<Forgery> {
  const all = [
    algorithmForgeries,
    headerForgeries,
    signatureForgeries,
    claimForgeries,
    formForgeries,
    cutShort,
  ]
  for (const generate of all) {
    for (const forgery of generate(target)) if (forgery.token !== target.genuine) yield forgery
  }
}

/** Every beginning and every end of the token. */
function* cutShort({ genuine }: Target): Generator<Forgery> {
  for (let length = 1; length < genuine.length; length++) {
    yield { id: 'JA-19', name: `the first ${length}`, token: genuine.slice(0, length) }
    yield { id: 'JA-19', name: `the last ${length}`, token: genuine.slice(-length) }
  }
}
