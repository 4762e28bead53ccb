/** Reads a `.env` file, and finds values that Node's parser does not take as they were written. */
import { parseEnv } from 'node:util'

export interface EnvFile {
  readonly values: Readonly<Record<string, string>>
  /** All names as Node reads them; where an `=` is missing, a name holds other text as well. */
  readonly names: readonly string[]
  /** Names that begin with `DUKTIG_` but lack the `=`. They set nothing, so they are reported. */
  readonly withoutValue: readonly string[]
  /**
   * Names whose value Node does not take as it was written, each with the reason and the remedy. A secret that is cut
   * short would silently be a different secret.
   */
  readonly unlike: ReadonlyMap<string, string>
}

export function readEnvFile(content: string): EnvFile {
  const text = content
    // Some editors begin a file with a byte order mark, which would be part of the first name.
    .replace(/^\uFEFF/, '')
    // If only spaces follow an `=`, Node takes the next line for the value, and that line may hold a secret.
    .replaceAll(/^([ \t]*(?:export[ \t]+)?\w+[ \t]*=)[ \t]+$/gm, '$1')
  // If a name lacks its `=`, Node takes everything before the next `=` for the name: that may hold a secret.
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

/** A character of Unicode's private use area, which nobody writes into such a file. */
const MARK = '\uE000'

/**
 * Finds values that are cut at a `#`. Node begins a comment at any `#` outside quotes, people only at one after a
 * space. So the file is parsed again with `MARK` in place of each `#` without a space before it: a value that continues
 * with `MARK` was cut.
 */
function cutAtHash(text: string, values: EnvFile['values']): Remedies {
  const marked = parseEnv(text.replaceAll(/(?<=[^ \t\r\n])#/g, MARK))
  return Object.entries(values)
    .filter(([name, value]) => marked[name]?.startsWith(value + MARK) === true)
    .map(([name]) => [name, 'is cut short at a #: put it in quotes, or a space before a comment'])
}

/**
 * Finds values that are cut at a quote. A quoted value ends at the next quote of its kind, and Node ignores what
 * follows, even if that is no comment.
 */
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

/** Finds quotes that are never closed: Node takes such a quote for a part of the value. */
function openQuotes(text: string, values: EnvFile['values']): Remedies {
  const quoted = /^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*(["'`])(?![^]*\2)/gm
  return Array.from(text.matchAll(quoted))
    .filter(([, name = '', quote = '']) => values[name]?.startsWith(quote) === true)
    .map(([, name = '']) => [
      name,
      'begins with a quote and never ends: put a quote behind it, or take this one away',
    ])
}
