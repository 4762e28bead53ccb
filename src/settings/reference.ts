/** The settings as text, made from their definitions: for `--help` and for the reference page. */
import { type Definition, SETTINGS } from './settings.ts'

const all: readonly Definition<unknown>[] = Object.values(SETTINGS)

/** One indented line for each setting. */
export function settingsHelp(): string {
  const width = Math.max(...all.map(({ variable }) => variable.length))
  return all
    .map(
      (d) =>
        `  ${d.variable.padEnd(width)}  ${plain(d.sentence)}${d.default === null ? '' : ` [${d.default}]`}`,
    )
    .join('\n')
}

/** The text of `docs/reference/settings.md`. */
export function settingsPage(): string {
  const rows = all.map((d) => {
    const unit = d.unit === undefined ? '' : `, ${d.unit}`
    return `| \`${d.variable}\` | ${d.kind.shown}${unit} | ${d.default === null ? '–' : `\`${d.default}\``} | ${d.sentence} |`
  })
  return [
    '# Settings',
    '',
    'Set them in the environment, or in a file `.env` in the working folder; the environment wins. Wrong settings stop the',
    'start, with all mistakes listed at once.',
    '',
    'In the file, a value that holds a `#` or begins with a quote stands in quotes: `"…"`, `\'…\'` or `` `…` ``, whichever it does',
    'not hold. A comment has a space before its `#`.',
    '',
    '| Variable | Value | Default | Meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function plain(text: string): string {
  return text.replaceAll('`', '')
}
