/** The threads that hash: they step back for everybody else, and one that dies takes nobody with it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { HashPace } from '../../src/passwords/hash-pace.mjs'
import { HashPool } from '../../src/passwords/hash-pool.ts'

const isLinux = process.platform === 'linux'
const passwords = new URL('../../src/passwords/passwords.ts', import.meta.url).href

test(`hashes have a lower priority than the rest of the process${isLinux ? '' : ' (skipped: needs Linux)'}`, {
  skip: !isLinux,
}, async () => {
  const before = niceness()
  const pool = new HashPool()
  const parameters = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
  await Promise.all([1, 2].map(() => pool.run([{ kind: 'hash', password: 'Pass-word1', parameters }])))
  const first = niceness()
  const own = before.get(process.pid) as number
  assert.deepEqual(lowerThan(own, first), [own + 5, own + 5], 'the two that hash, and no other')
  const jobs = Array.from({ length: 8 }, () => ({
    kind: 'hash' as const,
    password: 'Pass-word1',
    parameters,
  }))
  // Without others that want the core, a moment; beside other tests, as soon as they rest.
  while (!lowerThan(own, niceness()).includes(own + 15)) await pool.run(jobs)
  assert.equal(niceness().get(process.pid), own, 'the main thread keeps its own')
})

test('a thread gives way once it has plenty, and says so when it hardly gets anything then', () => {
  const pace = new HashPace()
  assert.equal(pace.after(9, 265), 'stay', 'one that does not yield is not thought to starve')
  assert.equal(pace.after(95, 400), 'stay', 'a quarter of a core')
  assert.equal(pace.after(9, 9), 'stay', 'one hash may have had luck')
  assert.equal(pace.after(72, 72), 'stay')
  assert.equal(pace.after(72, 72), 'yield')
  assert.equal(pace.after(9, 150), 'stay', 'too short to tell')
  assert.equal(pace.after(72, 250), 'stay', 'more than a quarter of a core, beside a flood')
  assert.equal(pace.after(9, 265), 'starving')
})

test('a thread that starves has a new one take its place', async () => {
  const starving = `import { parentPort, threadId } from 'node:worker_threads'
    parentPort.on('message', ([{ password }]) => {
      parentPort.postMessage({ outcomes: [{ value: threadId }], isStarving: password === 'starves' })
    })`
  const pool = new HashPool(new URL(`data:text/javascript,${encodeURIComponent(starving)}`))
  const threads: unknown[] = []
  for (const password of ['has enough', 'starves', 'has enough', 'has enough'])
    threads.push(await pool.run([{ kind: 'verify-argon2', password, hash: '' }]))
  assert.deepEqual(threads[0], threads[1])
  assert.notDeepEqual(threads[1], threads[2])
  assert.deepEqual(threads[2], threads[3])
})

test('a thread that dies fails its own jobs only, and another takes its place', async () => {
  const dying = `import { parentPort } from 'node:worker_threads'
    parentPort.on('message', ([{ password }]) => {
      if (password === 'throws') throw new Error('died of it')
      if (password === 'ends') process.exit(3)
      parentPort.postMessage({ outcomes: [{ value: password }], isStarving: false })
    })`
  const pool = new HashPool(new URL(`data:text/javascript,${encodeURIComponent(dying)}`))
  const ask = async (password: string) => {
    const [outcome] = await pool.run([{ kind: 'verify-argon2', password, hash: '' }])
    return outcome !== undefined && 'value' in outcome ? outcome.value : outcome
  }
  const outcomes = await Promise.allSettled(['one', 'throws', 'two', 'ends'].map(ask))
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason))),
    ['one', 'Error: died of it', 'two', 'Error: the thread ended before its hash was done'],
  )
  assert.deepEqual(await Promise.all(['three', 'four', 'five'].map(ask)), ['three', 'four', 'five'])
})

test('a hash under way keeps a process alive, threads at rest do not', () => {
  const program = `import { createPasswords } from ${JSON.stringify(passwords)}
    createPasswords(1).hash('Pass-word1').then((hash) => console.log(hash.slice(0, 9)))`
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.deepEqual([stdout, status], ['$argon2id\n', 0])
})

function lowerThan(own: number, threads: ReadonlyMap<number, number>): number[] {
  return [...threads.values()].filter((nice) => nice > own)
}

/** The niceness of each thread of this process. */
function niceness(): Map<number, number> {
  const threads = readdirSync('/proc/self/task').map(Number)
  return new Map(
    threads.map((thread) => {
      // proc(5): the name in brackets may hold anything; the niceness is the 19th field.
      const fields = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ').at(-1)?.split(' ')
      return [thread, Number(fields?.[16])]
    }),
  )
}
