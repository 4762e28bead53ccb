/** What the number of sessions does to the throughput of refreshes. */
import type { Row } from '../harness/context.ts'
import { type Running, startDuktig } from '../harness/duktig.ts'
import { interleaved } from '../harness/measure.ts'
import { duktigContestant } from './refresh.ts'

export const growthRow: Row = {
  name: 'growth',
  title: 'refresh, rotation on, SQLite, from 10,000 to 10,000,000 sessions',
  async run(context) {
    const sizes = context.quick ? [10_000, context.sessions] : [10_000, context.sessions, 10_000_000]
    const running: Running[] = []
    try {
      const contestants = []
      for (const size of sizes) {
        const site = await context.site('sqlite', size)
        const server = await startDuktig(site)
        running.push(server)
        contestants.push({ ...duktigContestant(site, server, 'rotating'), name: nameOf(size) })
      }
      const rounds = await interleaved(contestants, context.timing, context.say)
      const rates = sizes.map((size) => (rounds.get(nameOf(size)) ?? []).map(({ perSecond }) => perSecond))
      const smallest = rates[0] ?? []
      const kept = (rates.at(-1) ?? []).map((rate, i) => rate / (smallest[i] ?? Number.NaN))
      const throughput = sizes.map((size, i) => ({
        row: 'growth',
        what: `throughput with ${nameOf(size)}`,
        unit: '/s',
        values: rates[i] ?? [],
      }))
      const what = `throughput with ${nameOf(sizes.at(-1) ?? 0)} against ${nameOf(sizes[0] ?? 0)}`
      return [{ row: 'growth', what, unit: '', values: kept, aim: { least: 0.8 } }, ...throughput]
    } finally {
      for (const server of running) await server.stop()
    }
  },
}

function nameOf(sessions: number): string {
  return `${sessions.toLocaleString('en')} sessions`
}
