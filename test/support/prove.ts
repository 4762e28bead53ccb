/** What the long proofs share: how much they do, and how they say where they are. */

/** `DUKTIG_TEST_SHARE=0.01` does a hundredth, to see whether a proof runs at all. */
export function shareOf(count: number): number {
  return Math.max(1, Math.round(count * Number(process.env['DUKTIG_TEST_SHARE'] ?? 1)))
}

const EVERY_MS = 10_000

/** Says every few seconds how many of `count` are done. */
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
