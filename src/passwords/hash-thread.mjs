// @ts-check
/**
 * The thread that `hash-pool.ts` starts: hashes for each message, nothing else meanwhile. Plain JavaScript, since a thread
 * that has types to erase takes 11 MiB more and starts 100 ms later.
 */
import { createRequire } from 'node:module'
import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { hashSync, verifySync } from '@node-rs/argon2'
import { HashPace } from './hash-pace.mjs'

/**
 * Added to the niceness. At first a thread takes a quarter of a core that others want as well, so that sign-ins do not starve when
 * refreshes, or other programs, take all they can get. While there is plenty it yields: one part in thirty beside a request.
 */
const FIRM = 5
const YIELDING = 15
const NICEST = 19
const require = createRequire(import.meta.url)

const ownNiceness = getPriority()
const pace = new HashPace()
let used = process.threadCpuUsage()

// After the imports: threads that this one starts while it loads, such as those for files, serve the whole process.
stepBack(FIRM)
parentPort?.on('message', (/** @type {readonly import('./hash-pool.ts').HashJob[]} */ jobs) => {
  const beganMs = performance.now()
  const outcomes = jobs.map(outcome)
  const found = pace.after(usedSinceLastMs(), performance.now() - beganMs)
  /** @type {import('./hash-pool.ts').HashReport} */
  const report = { outcomes, isStarving: found === 'starving' }
  parentPort?.postMessage(report)
  if (found === 'yield') stepBack(YIELDING)
})

/** Not since a batch began: the system may count a few milliseconds only after it has ended, and each batch would lack them. */
function usedSinceLastMs() {
  const before = used
  used = process.threadCpuUsage()
  return (used.user + used.system - before.user - before.system) / 1000
}

/**
 * @param {import('./hash-pool.ts').HashJob} job
 * @returns {import('./work-queue.ts').Outcome<unknown>}
 */
function outcome(job) {
  try {
    return { value: run(job) }
  } catch (error) {
    return { error }
  }
}

/** @param {import('./hash-pool.ts').HashJob} job */
function run(job) {
  if (job.kind === 'hash') return hashSync(job.password, job.parameters)
  if (job.kind === 'verify-argon2') return isRight(job.hash, job.password)
  // Loaded with the first such hash: most services never see one.
  return require('@node-rs/bcrypt').verifySync(job.password, job.hash)
}

/**
 * A hash from elsewhere that the library cannot read is nobody's password.
 * @param {string} hash
 * @param {string} password
 */
function isRight(hash, password) {
  try {
    return verifySync(hash, password)
  } catch {
    return false
  }
}

/**
 * Linux alone has a niceness for each thread; elsewhere the whole process would become slow. There is no way back from it without
 * privileges: a thread that starves makes room for a new one.
 * @param {number} steps
 */
function stepBack(steps) {
  if (process.platform !== 'linux') return
  try {
    setPriority(Math.min(ownNiceness + steps, NICEST))
  } catch {
    // A sandbox may refuse it. Then hashes take their equal share, which is no fault.
  }
}
