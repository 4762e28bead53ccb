/**
 * `node raw-argon2.ts SECONDS` prints how many passwords a second the hash package alone can check. It checks one at a
 * time for each core that this process may use: more at a time are slower, since they evict one another from the cache.
 */
import { availableParallelism } from 'node:os'
import { hash as argon2Hash, verify } from '@node-rs/argon2'
import { PASSWORD } from './population.ts'

const hash = await argon2Hash(PASSWORD, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
const startedMs = performance.now()
const endMs = startedMs + Number(process.argv[2]) * 1000
let checked = 0

async function work(): Promise<void> {
  while (performance.now() < endMs) {
    await verify(hash, PASSWORD)
    checked++
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, work))
process.stdout.write(`${(checked * 1000) / (performance.now() - startedMs)}\n`)
