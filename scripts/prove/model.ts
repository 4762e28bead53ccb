/** The exploration of the model with its larger worlds, and the races of the store's tests, twenty times as often. */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

const PARTS = [
  { files: 'test/model/*.test.ts', prove: '1' },
  { files: 'test/store/*.test.ts', prove: '20' },
]

for (const { files, prove } of PARTS) {
  const { status } = spawnSync(process.execPath, ['--test', ...globSync(files)], {
    stdio: 'inherit',
    env: { ...process.env, DUKTIG_PROVE: prove },
  })
  if (status !== 0) process.exit(1)
}
