/** What outlives two young garbage collections waits for a full one, which stops all requests (docs/decisions/0017). */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** One byte is usual; a map that each transaction empties made it 95. */
const MOST_BYTES = 20

test('refreshes leave nothing behind for a full garbage collection', async (t) => {
  const script = fileURLToPath(new URL('./old-bytes.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script])
  const bytes = Number(stdout)
  t.diagnostic(`${bytes.toFixed(1)} bytes for each refresh`)
  assert.ok(stdout !== '' && bytes < MOST_BYTES, `each refresh leaves ${stdout} bytes`)
})
