/**
 * `npm run docs`: writes `docs/reference/` from the code: the settings, the command line, and the API as a running
 * service serves it. With `--check` it writes nothing and fails if a page does not match the code.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Argument, Command, Option } from 'commander'
import { commandLine } from '../src/command-line.ts'
import { createLog } from '../src/operations/log.ts'
import { startService } from '../src/serve.ts'
import { readSettings } from '../src/settings/read-settings.ts'
import { settingsPage } from '../src/settings/reference.ts'

const folder = fileURLToPath(new URL('../docs/reference/', import.meta.url))
const pages = { 'settings.md': settingsPage(), 'cli.md': commandsPage(), 'api.json': await apiDocument() }
const checkOnly = process.argv.includes('--check')

for (const [name, text] of Object.entries(pages)) {
  const file = join(folder, name)
  if (!checkOnly) writeFileSync(file, text)
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`docs/reference/${name} is out of step with the code: run \`npm run docs\`\n`)
    process.exitCode = 1
  }
}

/** The API description of a service with the default settings. */
async function apiDocument(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'duktig-docs-'))
  try {
    const settings = readSettings({
      DUKTIG_PORT: '0',
      DUKTIG_METRICS_PORT: '0',
      DUKTIG_DATA_DIR: dataDir,
    })
    const service = await startService(settings, { log: createLog('silent') })
    try {
      const answer = await fetch(`${service.address}/openapi.json`)
      return `${JSON.stringify(await answer.json(), null, 2)}\n`
    } finally {
      await service.stop()
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function commandsPage(): string {
  const program = commandLine({ settings: () => readSettings({}), startService })
  const lines = [
    '# Command line',
    '',
    '`./bin/duktig` and a command, in the folder of the service and with the same [settings](settings.md) as the service.',
    '`--help` after a command says the same as this page.',
    ...leaves(program, []).flatMap(([name, command]) => sectionOf(name, command)),
    '',
  ]
  return lines.join('\n')
}

/** The commands that do something, with their full names. */
function leaves(command: Command, parents: readonly string[]): (readonly [string, Command])[] {
  const path = [...parents, command.name()]
  if (command.commands.length === 0) return [[path.join(' '), command]]
  return command.commands.flatMap((child) => leaves(child, path))
}

function sectionOf(name: string, command: Command): string[] {
  const { registeredArguments, options } = command
  const usage = [name, ...registeredArguments.map(written), ...(options.length > 0 ? ['[options]'] : [])]
  const rows = [...registeredArguments.map(argumentRow), ...options.map(optionRow)]
  const table = rows.length === 0 ? [] : ['', '| | Meaning | Default |', '|---|---|---|', ...rows]
  return ['', `## ${name}`, '', `\`${usage.join(' ')}\``, '', sentence(command.description()), ...table]
}

function written(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`
}

function argumentRow(argument: Argument): string {
  return row(written(argument), argument.description, argument.defaultValue)
}

function optionRow(option: Option): string {
  return row(option.flags, option.description, option.defaultValue)
}

function row(name: string, meaning: string, value: unknown): string {
  const shown = typeof value === 'string' ? `\`${value}\`` : '–'
  return `| \`${cell(name)}\` | ${cell(meaning)} | ${shown} |`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
