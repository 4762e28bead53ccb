/** What a `.env` file gives, and which of its values are not what somebody wrote. */
import { parseEnv } from 'node:util'

export interface EnvFile {
  readonly values: Readonly<Record<string, string>>
  /** All names that Node reads; what `=` is missing behind is a part of the next one. */
  readonly names: readonly string[]
  /** Names of ours without `=` behind them: they set nothing, and whoever wrote one would wonder why. */
  readonly withoutValue: readonly string[]
  /** Names with a value that is not what somebody wrote, each with why and what to do; a cut secret would be another one. */
  readonly unlike: ReadonlyMap<string, string>
}

export function readEnvFile(content: string): EnvFile {
  const text = content
    // Some editors begin a file with a byte order mark, which would be part of the first name.
    .replace(/^\uFEFF/, '')
    // Where only spaces are left for a value, Node takes the next line for it, which may be a secret.
    .replaceAll(/^([ \t]*(?:export[ \t]+)?\w+[ \t]*=)[ \t]+$/gm, '$1')
  // Where `=` is missing behind a name, Node takes all before the next one for the name: that may be a secret.
  const all = parseEnv(text) as EnvFile['values']
  const named = Object.entries(all).filter(([name]) => /^\w+$/.test(name))
  const values = Object.fromEntries(named)
  return {
    values,
    names: Object.keys(all),
    withoutValue: namesWithoutValue(text),
    unlike: new Map([...cutAtHash(text, values), ...cutAtQuote(text, values), ...openQuotes(text, values)]),
  }
}

function namesWithoutValue(text: string): string[] {
  const lines = text.matchAll(/^[ \t]*(?:export[ \t]+)?(DUKTIG_\w*)(?![\w.-]|[ \t]*=)/gm)
  return Array.from(lines, ([, name = '']) => name)
}

type Remedies = [name: string, remedy: string][]

/** Of the private use area: nobody writes it. */
const MARK = '\uE000'

/**
 * Node begins a comment at any `#` outside quotes, people with a space before it. So where no space is, the file is read once
 * more with another character in its place: a value that goes on with that had been cut.
 */
function cutAtHash(text: string, values: EnvFile['values']): Remedies {
  const marked = parseEnv(text.replaceAll(/(?<=[^ \t\r\n])#/g, MARK))
  return Object.entries(values)
    .filter(([name, value]) => marked[name]?.startsWith(value + MARK) === true)
    .map(([name]) => [name, 'is cut short at a #: put it in quotes, or a space before a comment'])
}

/** A value in quotes ends with the next one of their kind; what Node finds behind that it leaves out, be it a comment or not. */
function cutAtQuote(text: string, values: EnvFile['values']): Remedies {
  const quoted =
    /^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*((["'`])(?:(?!\3)[^])*\3)(?=[^ \t\r\n]|[ \t]+[^ \t\r\n#])/gm
  return Array.from(text.matchAll(quoted))
    .filter(([, name = '', value = '']) => parseEnv(`X=${value}`)['X'] === values[name])
    .map(([, name = '']) => [
      name,
      'is cut short at a quote: choose quotes of a kind that the value does not hold',
    ])
}

/** Where no other quote of its kind comes, Node takes the first one for a part of the value. */
function openQuotes(text: string, values: EnvFile['values']): Remedies {
  const quoted = /^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*(["'`])(?![^]*\2)/gm
  return Array.from(text.matchAll(quoted))
    .filter(([, name = '', quote = '']) => values[name]?.startsWith(quote) === true)
    .map(([, name = '']) => [
      name,
      'begins with a quote and never ends: put a quote behind it, or take this one away',
    ])
}
