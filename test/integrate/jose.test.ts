/** The blocks of docs/integrate.md that use jose, against a service. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sendJson } from '../support/raw-http.ts'
import { ISSUER, type Verify, block, importVerify, newFolder } from './blocks.ts'
import { type Authority, badTokens, openAuthority } from './tokens.ts'

const folder = newFolder()
after(() => folder.remove())

for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
  test(`the block for public keys accepts what it should and nothing else, with ${algorithm}`, async () => {
    const authority = await openAuthority(algorithm)
    try {
      const text = block('With public keys', 'js', {
        [`${ISSUER}/.well-known`]: `${authority.service.address}/.well-known`,
        ES256: algorithm,
      })
      await assertVerifies(authority, await importVerify(folder, text))
    } finally {
      await authority.close()
    }
  })
}

describe('with a shared secret', () => {
  test('the block accepts what it should and nothing else, with what the command line exports', async () => {
    const authority = await openAuthority('HS256')
    try {
      await assertVerifies(authority, await importVerify(folder, await blockWithSecrets(authority)))
    } finally {
      await authority.close()
    }
  })
})

test('an access token of an ended session is refused by Duktig at once, and by its signature alone only when it ends', async () => {
  const authority = await openAuthority('HS256')
  const { service, opened } = authority
  try {
    const verify = await importVerify(folder, await blockWithSecrets(authority))
    await sendJson(service.address, 'DELETE', '/auth/token', { 'Refresh-Token': opened.refreshToken })
    const headers = { Authorization: `Bearer ${opened.accessToken}` }
    const asked = await sendJson(service.address, 'GET', '/auth/verify', headers)
    assert.equal(asked.status, 401)
    assert.equal(asked.headers['x-session-end-reason'], 'signed-out')
    await verify(opened.accessToken)
  } finally {
    await authority.close()
  }
})

async function assertVerifies(authority: Authority, verify: Verify): Promise<void> {
  const { session, accessToken } = authority.opened
  const claims = await verify(accessToken)
  assert.equal(claims['sub'], String(session.accountId))
  assert.equal(claims['sid'], session.sessionId)
  for (const [what, token] of Object.entries(badTokens(authority))) await assert.rejects(verify(token), what)
}

async function blockWithSecrets({ service }: Authority): Promise<string> {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, 'keys', 'export'], {
    env: { ...service.variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let exported = ''
  child.stdout.on('data', (text: Buffer) => {
    exported += text.toString()
  })
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0)
  return block('With a shared secret', 'js', {
    "'access-keys.json'": JSON.stringify(folder.write('access-keys.json', exported)),
  })
}
