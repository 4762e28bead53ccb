// @ts-check
/**
 * The thread that `hash-pool.ts` starts. It works on one message, a batch of hashes, at a time. Plain JavaScript, since
 * a thread that has types to erase takes 11 MiB more and starts 100 ms later.
 */
import { createRequire } from 'node:module'
import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { hashSync, verifySync } from '@node-rs/argon2'
import { HashPace } from './hash-pace.mjs'

/**
 * Added to the niceness at first: another thread that wants the same core gets three quarters of it. The remaining
 * quarter keeps sign-ins from starving when refreshes or other programs take all they can get.
 */
const FIRST_STEP = 5
/** Added once the thread has plenty: a thirtieth of the core is left then, and requests hardly wait for hashes. */
const SECOND_STEP = 10
const NICEST = 19
const require = createRequire(import.meta.url)

const pace = new HashPace()
let used = process.threadCpuUsage()
let isYielding = false

// After the imports: threads that are started while this one loads, such as those for files, would inherit the lower
// priority, and they serve the whole process.
stepBack(FIRST_STEP)
parentPort?.on('message', (/** @type {readonly import('./hash-pool.ts').HashJob[]} */ jobs) => {
  parentPort?.postMessage(runSome(jobs))
})

/**
 * Runs all jobs, or only the first ones if the thread starves.
 * @param {readonly import('./hash-pool.ts').HashJob[]} jobs
 * @returns {import('./hash-pool.ts').HashReport}
 */
function runSome(jobs) {
  const outcomes = []
  for (const job of jobs) {
    const beganMs = performance.now()
    outcomes.push(outcome(job))
    const usedMs = usedSinceLastMs()
    // Long jobs do not count, because the thread that is kept for them must not yield.
    if (job.isLong) continue
    const found = pace.after(usedMs, performance.now() - beganMs)
    if (found === 'yield') isYielding = stepBack(SECOND_STEP)
    if (found === 'starving' && isYielding) return { outcomes, isYielding, isStarving: true }
  }
  return { outcomes, isYielding, isStarving: false }
}

/**
 * Core time in ms since the last call. It is not measured from the start of a hash, since the system may count a few
 * milliseconds of a hash only after its end, and each hash would lack them.
 */
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
  const { hash, spellings } = job
  if (job.kind === 'verify-argon2') return spellings.some((password) => isRight(hash, password))
  // Loaded with the first bcrypt hash, since most services never see one.
  return spellings.some((password) => require('@node-rs/bcrypt').verifySync(password, hash))
}

/**
 * False for an imported hash that the library cannot read: no password matches it.
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
 * Lowers the priority of this thread. Only Linux has a niceness for each thread; elsewhere the whole process would slow
 * down. Raising the priority again takes privileges, so a thread that starves is replaced by a new one.
 * @param {number} steps
 * @returns {boolean} whether the priority is lower now
 */
function stepBack(steps) {
  if (process.platform !== 'linux') return false
  try {
    const before = getPriority()
    setPriority(Math.min(before + steps, NICEST))
    return getPriority() > before
  } catch {
    // A sandbox may refuse this. Hashes then take an equal share of the core, which is not a fault.
    return false
  }
}
