/** Shared by the long proofs: how much they do, and their reports of progress. */

/** `DUKTIG_TEST_SHARE=0.01` reduces the work to a hundredth, to check that a proof runs at all. */
export function shareOf(count: number): number {
  return Math.max(1, Math.round(count * Number(process.env['DUKTIG_TEST_SHARE'] ?? 1)))
}

const EVERY_MS = 10_000

/** Returns a function that prints how many of `count` are done: every ten seconds at most, and at the end. */
export function progress(what: string, count: number): (done: number) => void {
  const startedMs = performance.now()
  let saidMs = startedMs
  return (done) => {
    const nowMs = performance.now()
    if (done < count && nowMs - saidMs < EVERY_MS) return
    saidMs = nowMs
    process.stdout.write(`${what}: ${done} of ${count}, ${Math.round((nowMs - startedMs) / 1000)} s\n`)
  }
}
