/** What outlives two young garbage collections waits for a full one, which stops all requests (docs/decisions/0017). */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** One is usual; a map that each transaction empties made it 95. */
const MOST_BYTES_OF_REFRESH = 20
/** Less than one is usual; `String` makes it 24. */
const MOST_BYTES_OF_ID = 5

test('refreshes and ids leave nothing behind for a full garbage collection', async (t) => {
  const script = fileURLToPath(new URL('./old-bytes.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script])
  const { ofRefresh, ofId } = JSON.parse(stdout) as Record<string, number>
  t.diagnostic(`bytes left: ${stdout}`)
  assert.ok(ofRefresh !== undefined && ofRefresh < MOST_BYTES_OF_REFRESH)
  assert.ok(ofId !== undefined && ofId < MOST_BYTES_OF_ID)
})
