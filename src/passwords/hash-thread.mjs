// @ts-check
/**
 * The thread that `hash-pool.ts` starts: hashes for each message, nothing else meanwhile. Plain JavaScript, since a thread
 * that has types to erase takes 11 MiB more and starts 100 ms later.
 */
import { createRequire } from 'node:module'
import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { hashSync, verifySync } from '@node-rs/argon2'

/**
 * Added to the niceness: whoever wants the core while a password is hashed gets three quarters of it. The quarter that is
 * left keeps sign-ins from starving when refreshes, or other programs, take all they can get.
 */
const NICER = 5
const NICEST = 19
const require = createRequire(import.meta.url)

// After the imports: threads that this one starts while it loads, such as those for files, serve the whole process.
yieldToOthers()
parentPort?.on('message', (/** @type {readonly import('./hash-pool.ts').HashJob[]} */ jobs) => {
  parentPort?.postMessage(jobs.map(outcome))
})

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

/** Linux alone has a niceness for each thread; elsewhere the whole process would become slow. */
function yieldToOthers() {
  if (process.platform !== 'linux') return
  try {
    setPriority(Math.min(getPriority() + NICER, NICEST))
  } catch {
    // A sandbox may refuse it. Then hashes take their equal share, which is no fault.
  }
}
