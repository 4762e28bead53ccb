/** The threads that hash give way to all other work, and a thread that dies fails only its own jobs. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { HashPace } from '../../src/passwords/hash-pace.mjs'
import { HashPool } from '../../src/passwords/hash-pool.ts'
import type { Outcome } from '../../src/passwords/work-queue.ts'

const isLinux = process.platform === 'linux'
const passwords = new URL('../../src/passwords/passwords.ts', import.meta.url).href

test(`hashes have a lower priority than the rest of the process${isLinux ? '' : ' (skipped: needs Linux)'}`, {
  skip: !isLinux,
}, async () => {
  const own = niceness().get(process.pid) as number
  const [first, second] = [own + 5, own + 15].map((nice) => Math.min(nice, 19)) as [number, number]
  const pool = new HashPool()
  const parameters = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
  const job = { kind: 'hash', password: 'Pass-word1', parameters, isLong: false } as const
  await pool.run([job])
  assert.deepEqual(lowerThan(own, niceness()), [first], 'the thread that hashes, and no other')
  // This takes a moment if nothing else wants the core; beside other tests, it takes until they leave it idle.
  const deadlineMs = performance.now() + 40_000
  while (!lowerThan(own, niceness()).includes(second)) {
    assert.ok(performance.now() < deadlineMs, 'a thread that has plenty of a core steps back further')
    // One at a time: in a longer batch the thread might starve beside other tests, and end.
    await pool.run([job])
  }
  assert.deepEqual(lowerThan(own, niceness()), [second])
  // A bcrypt hash of cost 12 takes a quarter of a second.
  const hash = `$2b$12$${'.'.repeat(53)}`
  const long = { kind: 'verify-bcrypt', spellings: ['Pass-word1'], hash, isLong: true } as const
  assert.deepEqual(await pool.run([long]), [{ value: false }])
  // A process that is as nice as can be has no second step, and so no thread that yields.
  const both = first === second ? [second] : [first, second]
  assert.deepEqual(lowerThan(own, niceness()), both, 'what takes long has a thread that stays')
  assert.equal(niceness().get(process.pid), own, 'the main thread keeps its own')
})

test('a thread gives way once it has plenty', () => {
  const pace = new HashPace()
  assert.equal(pace.after(9, 265), 'stay', 'one that does not yield is not thought to starve')
  assert.equal(pace.after(110, 331), 'stay', 'a third of a core is what it has beside a crowd')
  assert.equal(pace.after(9, 9), 'stay', 'one hash may have had luck')
  assert.equal(pace.after(50, 50), 'stay')
  assert.equal(pace.after(50, 50), 'yield')
})

test('a thread that yields starves when hash after hash gets hardly anything of a core', () => {
  const yielding = () => {
    const pace = new HashPace()
    assert.equal(pace.after(100, 100), 'yield')
    return pace
  }
  const beside = (usedMs: number, tookMs: number, times: number) => {
    const pace = yielding()
    return Array.from({ length: times }, () => pace.after(usedMs, tookMs)).at(-1)
  }
  assert.equal(beside(9, 265, 1), 'starving')
  assert.equal(beside(9, 120, 1), 'stay', 'it may have been held up once')
  assert.equal(beside(9, 120, 2), 'starving')
  assert.equal(beside(9, 80, 100), 'stay', 'it has more than a tenth')
  const pace = yielding()
  const found = [pace.after(9, 120), pace.after(9, 30), pace.after(9, 120)]
  assert.deepEqual(found, ['stay', 'stay', 'stay'], 'in between it had its part')
})

test('a thread that starves ends, and a new one takes over what it had not done', async () => {
  const { run } = poolThatDoesAsTold()
  const [[, one] = []] = await run('first')
  const [a = [], b = [], c = []] = await run('second', 'starves', 'third')
  assert.deepEqual([a[0], b[0], c[0]], ['second', 'starves', 'third'])
  assert.deepEqual([a[1], b[1]], [one, one])
  assert.notEqual(c[1], one)
  assert.deepEqual(await run('fourth'), [['fourth', c[1]]])
})

test('what may take long runs where no thread has stepped back, all else where one has', async () => {
  const { run } = poolThatDoesAsTold()
  const [[, one] = []] = await run('yields')
  const [[, other] = []] = await run('long')
  assert.notEqual(other, one)
  assert.deepEqual(await run('short'), [['short', one]])
  assert.deepEqual(await run('long again'), [['long again', other]])
  assert.deepEqual(await Promise.all([run('short'), run('another')]), [
    [['short', one]],
    [['another', other]],
  ])
})

test('what a starving thread leaves goes to none that has stepped back', async () => {
  const { run } = poolThatDoesAsTold()
  const [[[, one] = []], [[, other] = []]] = await Promise.all([run('yields'), run('yields')])
  const [, [, last] = []] = await run('starves', 'left over')
  assert.ok(last !== one && last !== other)
})

test('what was done stays done when no other thread can be started', async () => {
  const { run, script } = poolThatDoesAsTold()
  const done = run('starves', 'left over')
  script.href = 'https://example.com/'
  const [[first] = [], [second] = []] = await done
  assert.equal(first, 'starves')
  assert.match(second ?? '', /ERR_INVALID_URL_SCHEME/)
})

test('a thread that dies fails its own jobs only, and another takes its place', async () => {
  const { run } = poolThatDoesAsTold()
  const names = async (...given: readonly string[]) => (await run(...given)).map(([name]) => name)
  assert.deepEqual(await Promise.all(['one', 'throws', 'two', 'ends'].map((given) => names(given))), [
    ['one'],
    ['Error: died of it'],
    ['two'],
    ['Error: the thread ended before its hash was done'],
  ])
  assert.deepEqual(await names('starves', 'throws', 'three'), [
    'starves',
    'Error: died of it',
    'Error: died of it',
  ])
  assert.deepEqual(await Promise.all(['four', 'five'].map((given) => names(given))), [['four'], ['five']])
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

/** A pool whose threads do what the password says. Each outcome contains the id of its thread. */
function poolThatDoesAsTold() {
  const program = `import { parentPort, threadId } from 'node:worker_threads'
    let isYielding = false
    parentPort.on('message', (jobs) => {
      const outcomes = []
      let isStarving = false
      for (const { spellings: [password] } of jobs) {
        if (password === 'throws') throw new Error('died of it')
        if (password === 'ends') process.exit(3)
        outcomes.push({ value: [password, threadId] })
        isYielding ||= password === 'yields'
        isStarving = password === 'starves'
        if (isStarving) break
      }
      parentPort.postMessage({ outcomes, isYielding, isStarving })
    })`
  const script = new URL(`data:text/javascript,${encodeURIComponent(program)}`)
  const pool = new HashPool(script)
  const run = async (...given: readonly string[]): Promise<readonly (readonly [string, number?])[]> => {
    const jobs = given.map((password) => {
      const isLong = password.startsWith('long')
      return { kind: 'verify-argon2', spellings: [password], hash: '', isLong } as const
    })
    const outcomes = (await pool.run(jobs)) as readonly Outcome<[string, number]>[]
    return outcomes.map((outcome) => ('value' in outcome ? outcome.value : [String(outcome.error)]))
  }
  return { run, script }
}

function lowerThan(own: number, threads: ReadonlyMap<number, number>): number[] {
  return [...threads.values()].filter((nice) => nice > own).sort((a, b) => a - b)
}

/** The niceness of each thread of this process. */
function niceness(): Map<number, number> {
  const threads = readdirSync('/proc/self/task').map(Number)
  return new Map(
    threads.map((thread) => {
      // proc(5): the name in brackets may contain anything; the niceness is the 19th field.
      const fields = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ').at(-1)?.split(' ')
      return [thread, Number(fields?.[16])]
    }),
  )
}
