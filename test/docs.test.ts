/** Keeps the documents in step with the code: in both directions where a document has a list. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { commandLine } from '../src/command-line.ts'
import { startService } from '../src/serve.ts'
import { readSettings } from '../src/settings/read-settings.ts'
import { SETTINGS } from '../src/settings/settings.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = globSync('{*.md,{bench/results,contract}/*.md,docs/**/*.md}', { cwd: root })
  .map((path) => ({ path, text: read(path) }))
  .toSorted((a, b) => a.path.localeCompare(b.path))
const manifest = JSON.parse(read('package.json')) as Record<
  'dependencies' | 'devDependencies' | 'scripts',
  object
>

const commands = commandLine({ settings: () => readSettings({}), startService })

/** Text that is formatted as code: fenced blocks and inline code. */
const CODE = /```[^]*?```|`[^`]+`/g

const CONTRACT = 'contract/duktig-api.md'
/** As in "contract, section 4", "contract's codes (section 7)" and "contract, sections 4 and 7". */
const CITED_SECTIONS = /\bcontract\b[^.;]{0,40}\bsections? (\d+(?: and \d+)*)/g

describe('settings', () => {
  const known: readonly string[] = Object.values(SETTINGS).map(({ variable }) => variable)

  test('the page lists every setting and no other', () => {
    const rows = [...read('docs/reference/settings.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
    assert.deepEqual(rows, known)
  })

  test('every variable that a document names is a setting', () => {
    const wrong = mentions(/\bDUKTIG_[A-Z_]*[A-Z]\b/g).filter(
      ({ found }) => !known.includes(found) && !found.startsWith('DUKTIG_TEST_'),
    )
    assert.deepEqual(wrong, [])
  })
})

describe('links', () => {
  test('every relative link leads to a file, and to a heading in it where it names one', () => {
    const wrong = mentions(/\]\(([^)\s]+)\)/g).filter(({ path, found }) => !leadsSomewhere(path, found))
    assert.deepEqual(wrong, [])
  })

  test('every document that a source names is there', () => {
    const wrong = globSync('{src,test,scripts}/**/*.{ts,mjs}', { cwd: root }).flatMap((path) =>
      [...read(path).matchAll(/\bdocs\/[\w/-]+\.(?:md|json)\b/g)]
        .filter(([name]) => !existsSync(join(root, name)))
        .map(([name]) => `${path} names ${name}`),
    )
    assert.deepEqual(wrong, [])
  })
})

describe('commands', () => {
  test('every command of `duktig` that a document names is one', () => {
    const wrong = mentions(/(?:^|[`/ ])duktig((?: [a-z][a-z-]*)+)/gm, CODE).filter(
      ({ found }) => !isCommand(found.trim().split(' ')),
    )
    assert.deepEqual(wrong, [])
  })

  test('every script of npm that a document names is one', () => {
    const scripts = Object.keys(manifest.scripts)
    const wrong = mentions(/\bnpm (?:run )?(\w+)/g, CODE).filter(
      ({ found }) => !scripts.includes(found) && found !== 'install' && found !== 'ci',
    )
    assert.deepEqual(wrong, [])
  })
})

describe('routes', () => {
  const { paths } = JSON.parse(read('docs/reference/api.json')) as {
    paths: Record<string, Record<string, { tags: readonly string[] }>>
  }

  test('every route that a document names is in the API reference', () => {
    const wrong = mentions(/`((?:GET|POST|PUT|PATCH|DELETE) \/[^`\s]*)`/g).filter(({ found }) => {
      const [method = '', path = ''] = found.split(' ')
      return !Object.hasOwn(paths[path] ?? {}, method.toLowerCase())
    })
    assert.deepEqual(wrong, [])
  })

  test('the contract names every route of the face', () => {
    const contract = read(CONTRACT)
    const isOfFace = (path: string, tags: readonly string[]) =>
      path === '/system/ping' || !tags.includes('System')
    const missing = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { tags }]) => isOfFace(path, tags))
        .map(([method]) => `\`${method.toUpperCase()} ${path}\``)
        .filter((route) => !contract.includes(route)),
    )
    assert.deepEqual(missing, [])
  })
})

describe('the contract', () => {
  test('every section of it that a source cites is there', () => {
    const sections = [...read(CONTRACT).matchAll(/^## (\d+)\. /gm)].map(([, number]) => number)
    const cited = globSync('{src,test}/**/*.ts', { cwd: root }).flatMap((path) =>
      [...joinedComments(read(path)).matchAll(CITED_SECTIONS)].flatMap(([, numbers = '']) =>
        numbers.split(' and ').map((number) => ({ path, number })),
      ),
    )
    assert.ok(cited.length > 0)
    assert.deepEqual(
      cited.filter(({ number }) => !sections.includes(number)),
      [],
    )
  })
})

describe('decisions', () => {
  test('the index lists every record and no other', () => {
    const listed = [...read('docs/decisions/README.md').matchAll(/^\| \[[^\]]+\]\(([^)]+)\)/gm)].map(
      ([, file]) => file,
    )
    const files = globSync('*.md', { cwd: join(root, 'docs/decisions') }).filter(
      (file) => file !== 'README.md',
    )
    assert.deepEqual(new Set(listed), new Set(files))
  })

  test('every numbered record has its number and title in the index', () => {
    const index = read('docs/decisions/README.md')
    for (const { path, text } of pages.filter((page) => /^docs\/decisions\/\d/.test(page.path))) {
      const [, number, title] = /^# (\d{4}) (.+)$/m.exec(text) ?? []
      assert.ok(path.includes(`/${number}-`), `${path} has another number`)
      assert.ok(index.includes(`| [${number}](${path.slice('docs/decisions/'.length)}) | ${title} |`), path)
    }
  })

  test('every package is argued for, and no other', () => {
    const [forRunning = '', forDeveloping = ''] = read('docs/decisions/dependencies.md').split(
      '## For development only',
    )
    assert.deepEqual(packagesIn(forRunning), Object.keys(manifest.dependencies).toSorted())
    assert.deepEqual(packagesIn(forDeveloping), Object.keys(manifest.devDependencies).toSorted())
  })
})

/** The text with each comment of several lines on one line. */
function joinedComments(text: string): string {
  return text.replace(/\n *(?:\*|\/\/) ?/g, ' ')
}

interface Mention {
  readonly path: string
  readonly found: string
}

/** What `pattern` finds in all documents, or only in the parts of them that `within` finds. */
function mentions(pattern: RegExp, within?: RegExp): Mention[] {
  return pages.flatMap(({ path, text }) => {
    const parts = within === undefined ? [text] : [...text.matchAll(within)].map(([part]) => part)
    return parts.flatMap((part) =>
      [...part.matchAll(pattern)].map(([whole, group]) => ({ path, found: group ?? whole })),
    )
  })
}

function leadsSomewhere(path: string, link: string): boolean {
  if (/^[a-z]+:/.test(link)) return true
  const [file = '', heading] = link.split('#')
  const target = file === '' ? path : normalize(join(dirname(path), file))
  if (!existsSync(join(root, target))) return false
  return heading === undefined || headingsOf(read(target)).includes(heading)
}

/** The anchors that the usual hosts make of headings. */
function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Whether these words name a command. Words after a command that has no subcommands are its arguments. */
function isCommand(words: readonly string[]): boolean {
  let command: Command | undefined = commands
  for (const word of words) {
    if (command.commands.length === 0) return true
    command = command.commands.find((child) => child.name() === word)
    if (command === undefined) return false
  }
  return true
}

/** The names in the first column of a table. */
function packagesIn(text: string): string[] {
  const cells = [...text.matchAll(/^\| (`[^|]+`) \|/gm)].map(([, cell = '']) => cell)
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)).toSorted()
}
