/** How many password hashes this core can check a second: `node raw-argon2.ts SECONDS` prints it. */
import { availableParallelism } from 'node:os'
import { createPasswords } from '../../src/passwords/passwords.ts'
import { PASSWORD } from './population.ts'

const passwords = createPasswords()
const hash = await passwords.hash(PASSWORD)
const endMs = performance.now() + Number(process.argv[2]) * 1000
const startedMs = performance.now()
let checked = 0

async function work(): Promise<void> {
  while (performance.now() < endMs) {
    await passwords.verify(hash, PASSWORD)
    checked++
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, work))
process.stdout.write(`${(checked * 1000) / (performance.now() - startedMs)}\n`)
