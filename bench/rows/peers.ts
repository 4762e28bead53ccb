/** Refreshes with rotation, against other programs that offer them. */
import type { Row } from '../harness/context.ts'
import { closedLoop } from '../harness/closed-loop.ts'
import { startDuktig } from '../harness/duktig.ts'
import { interleaved } from '../harness/measure.ts'
import { PEERS, startPeer } from '../harness/peers.ts'
import { temporaryFolder } from '../harness/processes.ts'
import { assertAllRotated, duktigContestant } from './refresh.ts'

const LEAST_TIMES: Readonly<Record<string, number>> = { 'node-oidc-provider': 3.5, 'better-auth': 20 }

export const peersRow: Row = {
  name: 'peers',
  title: 'refresh with rotation: node-oidc-provider (in memory), better-auth (SQLite, synchronous=FULL)',
  async run(context) {
    const site = await context.site('sqlite')
    const stops: (() => Promise<void>)[] = []
    try {
      const running = await startDuktig(site)
      stops.push(running.stop)
      const contestants = [duktigContestant(site, running, 'rotating')]
      for (const peer of PEERS) {
        const started = await startPeer(peer, temporaryFolder(), context.timing.rounds + 1)
        stops.push(started.stop)
        const load = (seconds: number) => closedLoop(started.target, started.nextTape(), seconds)
        contestants.push({ name: peer.name, pid: started.pid, load })
      }
      const rounds = await interleaved(contestants, context.timing, context.say)
      await assertAllRotated(running)
      const rates = (name: string) => (rounds.get(name) ?? []).map(({ perSecond }) => perSecond)
      const ours = rates('Duktig')
      return PEERS.flatMap(({ name }) => {
        const theirs = rates(name)
        const times = ours.map((rate, i) => rate / (theirs[i] ?? Number.NaN))
        const least = LEAST_TIMES[name] as number
        return [
          { row: 'peers', what: `times the throughput of ${name}`, unit: '', values: times, aim: { least } },
          { row: 'peers', what: name, unit: '/s', values: theirs },
        ]
      })
    } finally {
      for (const stop of stops) await stop()
    }
  },
}
