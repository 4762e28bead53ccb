/** Draws the throughputs of a run as bars, in SVG that is legible on light and dark pages. */
import type { Figure } from './context.ts'
import { median } from './measure.ts'
import type { Report } from './report.ts'

interface Bar {
  readonly label: string
  readonly row: string
  readonly what: string
  readonly colour: string
}

const OURS = '#2f7d5b'
const OTHERS = '#8a8f98'

const BARS: readonly Bar[] = [
  { label: 'bare node:http, 700 bytes', row: 'rotating-sqlite', what: 'bare node:http', colour: OTHERS },
  { label: 'Duktig, GET /user', row: 'user', what: 'throughput', colour: OURS },
  { label: 'Duktig, refresh, rotation off', row: 'resting-sqlite', what: 'throughput', colour: OURS },
  { label: 'Duktig, refresh, rotation on', row: 'rotating-sqlite', what: 'throughput', colour: OURS },
  { label: 'Duktig, the same on PostgreSQL', row: 'rotating-postgres', what: 'throughput', colour: OURS },
  { label: 'node-oidc-provider, in memory', row: 'peers', what: 'node-oidc-provider', colour: OTHERS },
  { label: 'better-auth, SQLite', row: 'peers', what: 'better-auth', colour: OTHERS },
]

const WIDTH = 720
const LABEL_WIDTH = 230
const VALUE_WIDTH = 90
const STEP = 30
const BAR_HEIGHT = 18
const TOP = 46

export function plot(report: Report): string {
  const bars = BARS.flatMap((bar) => {
    const figure = report.figures.find(({ row, what }) => row === bar.row && what === bar.what)
    return figure === undefined ? [] : [{ ...bar, figure }]
  })
  const most = Math.max(...bars.flatMap(({ figure }) => figure.values))
  const height = TOP + bars.length * STEP + 26
  const lines = bars.map((bar, i) => barLines(bar, bar.figure, TOP + i * STEP, most))
  const { date, commit, machine } = report
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>Requests a second on one core</title>
<style>text { fill: #1f2328 } .small { fill: #59636e; font-size: 11px } @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .small { fill: #9198a1 } }</style>
<text x="0" y="18" font-size="15" font-weight="600">Requests a second, one process on one core</text>
${lines.join('\n')}
<text class="small" x="0" y="${height - 8}">Medians, whiskers from least to most; ${escaped(`${machine['processor']}, ${date.slice(0, 10)}, commit ${commit}`)}</text>
</svg>
`
}

function barLines(bar: Bar, figure: Figure, y: number, most: number): string {
  const scale = (value: number) => ((WIDTH - LABEL_WIDTH - VALUE_WIDTH) * value) / most
  const value = median(figure.values)
  const [low, high] = [scale(Math.min(...figure.values)), scale(Math.max(...figure.values))]
  const middle = y + BAR_HEIGHT / 2
  const end = LABEL_WIDTH + Math.max(scale(value), high)
  return `<text x="0" y="${y + 14}">${escaped(bar.label)}</text>
<rect x="${LABEL_WIDTH}" y="${y}" width="${scale(value).toFixed(1)}" height="${BAR_HEIGHT}" rx="2" fill="${bar.colour}"/>
<path d="M${(LABEL_WIDTH + low).toFixed(1)} ${middle}H${(LABEL_WIDTH + high).toFixed(1)}" stroke="#c9762b" stroke-width="2"/>
<text x="${(end + 8).toFixed(1)}" y="${y + 14}">${Math.round(value).toLocaleString('en')}</text>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
