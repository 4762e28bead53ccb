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
 * Added to the niceness at first: whoever wants the core as well gets three quarters of it. The quarter that is left keeps sign-ins
 * from starving when refreshes, or other programs, take all they can get.
 */
const FIRST_STEP = 5
/** Added once there is plenty: a thirtieth is left then, and a request hardly waits for a hash. */
const SECOND_STEP = 10
const NICEST = 19
const require = createRequire(import.meta.url)

const pace = new HashPace()
let used = process.threadCpuUsage()
let isYielding = false

// After the imports: threads that this one starts while it loads, such as those for files, serve the whole process.
stepBack(FIRST_STEP)
parentPort?.on('message', (/** @type {readonly import('./hash-pool.ts').HashJob[]} */ jobs) => {
  parentPort?.postMessage(runSome(jobs))
})

/**
 * All of them, or the first ones, if they had to wait too long for the core.
 * @param {readonly import('./hash-pool.ts').HashJob[]} jobs
 * @returns {import('./hash-pool.ts').HashReport}
 */
function runSome(jobs) {
  const outcomes = []
  for (const job of jobs) {
    const beganMs = performance.now()
    outcomes.push(outcome(job))
    const usedMs = usedSinceLastMs()
    // A thread that is kept for such jobs must not yield because of them.
    if (job.kind !== 'hash' && job.isLong) continue
    const found = pace.after(usedMs, performance.now() - beganMs)
    if (found === 'yield') isYielding = stepBack(SECOND_STEP)
    if (found === 'starving' && isYielding) return { outcomes, isYielding, isStarving: true }
  }
  return { outcomes, isYielding, isStarving: false }
}

/** Not since a hash began: the system may count a few milliseconds only after it is done, and each would lack them. */
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
 * @returns {boolean} whether it did
 */
function stepBack(steps) {
  if (process.platform !== 'linux') return false
  try {
    const before = getPriority()
    setPriority(Math.min(before + steps, NICEST))
    return getPriority() > before
  } catch {
    // A sandbox may refuse it. Then hashes take their equal share, which is no fault.
    return false
  }
}
