/** What a run found, as a table and as data, with the machine it was found on. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { loadGenerator } from './closed-loop.ts'
import type { Figure, Row } from './context.ts'
import { median } from './measure.ts'
import { isInMemory, isPinned } from './processes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const isPostgresOurs = (process.env['DUKTIG_TEST_DATABASE_URL'] ?? '') === ''

export interface Report {
  readonly date: string
  readonly commit: string
  readonly quick: boolean
  readonly machine: Readonly<Record<string, string>>
  readonly versions: Readonly<Record<string, string>>
  readonly figures: readonly Figure[]
  /** Rows that could not be measured, with the reason. */
  readonly failures: Readonly<Record<string, string>>
}

export function reportOf(
  quick: boolean,
  figures: readonly Figure[],
  failures: Readonly<Record<string, string>>,
  begun: Pick<Report, 'date' | 'commit'>,
): Report {
  const [cpu] = cpus()
  return {
    ...begun,
    quick,
    machine: {
      processor: `${cpu?.model.trim() ?? 'unknown'}, ${cpus().length} cores`,
      memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
      system: `${process.platform} ${process.arch}, kernel ${release()}`,
      cores: isPinned()
        ? `server on one, load ${isPostgresOurs ? 'and PostgreSQL ' : ''}on another`
        : 'shared: taskset or a second core is missing',
      files: isInMemory(tmpdir()) ? 'in memory (tmpfs), where syncs cost nothing' : 'on a disk',
    },
    versions: {
      node: process.versions.node,
      sqlite: process.versions['sqlite'] ?? 'unknown',
      load: loadGenerator(),
      'oidc-provider': peerVersion('oidc-provider'),
      'better-auth': peerVersion('better-auth'),
    },
    figures,
    failures,
  }
}

/** The table for people: one line for each figure, with its aim and whether that is reached. */
export function markdown(report: Report, rows: readonly Row[]): string {
  const facts = { ...report.machine, ...report.versions }
  const lines = [
    `# Benchmark of ${report.date.slice(0, 10)}, commit ${report.commit}${report.quick ? ' (quick)' : ''}`,
    '',
    ...Object.entries(facts).map(([name, value]) => `- ${name}: ${value}`),
    '',
    '| Work | Figure | Median | Range | Aim | Reached |',
    '|---|---|---:|---:|---:|---|',
  ]
  for (const row of rows) {
    for (const figure of report.figures.filter((candidate) => candidate.row === row.name))
      lines.push(`| ${row.title} | ${cells(figure).join(' | ')} |`)
    const failure = report.failures[row.name]
    if (failure !== undefined)
      lines.push(`| ${row.title} | not measured: ${failure.replaceAll('|', '/')} | | | | |`)
  }
  return `${lines.join('\n')}\n`
}

function cells(figure: Figure): readonly string[] {
  const { what, unit, values, aim } = figure
  const show = (value: number) =>
    `${rounded(value)}${unit === '' || unit.startsWith('/') ? unit : ` ${unit}`}`
  const range = `${rounded(Math.min(...values))}–${rounded(Math.max(...values))}`
  if (aim === undefined) return [what, show(median(values)), range, '', '']
  const bound = 'least' in aim ? `≥ ${show(aim.least)}` : `≤ ${show(aim.most)}`
  return [what, show(median(values)), range, bound, isReached(figure) ? 'yes' : 'no']
}

export function isReached({ aim, values }: Figure): boolean {
  if (aim === undefined) return true
  return 'least' in aim ? median(values) >= aim.least : median(values) <= aim.most
}

function rounded(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en')
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** The short hash of HEAD, with `-dirty` if there are uncommitted changes other than results. */
export function commit(): string {
  const git = (...args: readonly string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  try {
    const isDirty = git('status', '--porcelain', '--', '.', ':!bench/results') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${isDirty ? '-dirty' : ''}`
  } catch {
    return 'unknown'
  }
}

function peerVersion(name: string): string {
  const lock = JSON.parse(readFileSync(`${root}/bench/peers/package-lock.json`, 'utf8')) as {
    packages: Record<string, { version: string } | undefined>
  }
  return lock.packages[`node_modules/${name}`]?.version ?? 'unknown'
}
