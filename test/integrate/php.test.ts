/** The blocks of docs/integrate.md in PHP, run by PHP where it is installed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { sendJson } from '../support/raw-http.ts'
import { block, missing, newFolder } from './blocks.ts'
import { type Authority, badTokens, openAuthority } from './tokens.ts'

const without = missing('php', '--version')
const note = without === false ? '' : `, left out: ${without}`
const folder = newFolder()
after(() => folder.remove())

test(`the block of PHP for public keys accepts what it should and nothing else${note}`, {
  skip: without,
}, async () => {
  const authority = await openAuthority('ES256')
  try {
    const { body } = await sendJson(authority.service.address, 'GET', '/.well-known/jwks.json')
    assertVerifies(authority, block('With public keys', 'php'), body)
  } finally {
    await authority.close()
  }
})

test(`the block of PHP for a shared secret accepts what it should and nothing else${note}`, {
  skip: without,
}, async () => {
  const authority = await openAuthority('HS256')
  try {
    const { keys } = authority.deps
    const exported = keys.verifiers('access').map(({ kid, algorithm, sharedSecret }) => {
      return { kty: 'oct', k: sharedSecret()?.toString('base64url'), kid, alg: algorithm, use: 'sig' }
    })
    assertVerifies(authority, block('With a shared secret', 'php'), { keys: exported })
  } finally {
    await authority.close()
  }
})

/** Reads tokens and keys, and prints the block's result for each token. */
const AROUND = `
$asked = json_decode(stream_get_contents(STDIN), true);
$verify = fn ($token) => verifyAccessToken($token, $asked['keys']);
echo json_encode(array_map($verify, $asked['tokens']));
`

function assertVerifies(authority: Authority, text: string, keys: object): void {
  const bad = Object.entries(badTokens(authority))
  const { session, accessToken } = authority.opened
  const tokens = [accessToken, ...bad.map(([, token]) => token)]
  const script = folder.write('verify.php', text + AROUND)
  const { stdout, status } = spawnSync('php', [script], {
    input: JSON.stringify({ tokens, keys }),
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout)
  const [good, ...refused] = JSON.parse(stdout) as (Record<string, unknown> | null)[]
  assert.equal(good?.['sid'], session.sessionId)
  for (const [i, [what]] of bad.entries()) assert.equal(refused[i], null, what)
}
