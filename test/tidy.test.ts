/** Reads the sources and enforces the rules of ARCHITECTURE.md that no compiler enforces. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join, posix } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const FILE_LINES = 300
const FUNCTION_LINES = 70
const README_LINES = 120

interface Source {
  /** From the root of the project, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}

const files = globSync('{{src,test,scripts}/**,bench/{.,harness,rows}}/*.{ts,mjs}', { cwd: root })
const sources: readonly Source[] = files.sort().map((name) => {
  const path = name.replaceAll('\\', '/')
  const text = readFileSync(join(root, path), 'utf8')
  return { path, text, lines: text.trimEnd().split('\n') }
})
const product = sources.filter(({ path }) => path.startsWith('src/'))

/** The files of the store's interface. */
const STORE =
  'store/store.ts store/action-store.ts store/guard-store.ts store/legacy-store.ts store/journal.ts store/store-busy.ts'

/**
 * What each part of `src/` may import besides itself; folders end in a slash. The first entry that matches a file
 * counts. The star stands for any face: faces never import one another.
 */
const MAY_IMPORT: readonly (readonly [part: string, allowed: string])[] = [
  ['core/', 'settings/limits.ts'],
  ['settings/', ''],
  ['tokens/', `core/ settings/limits.ts ${STORE}`],
  ['passwords/', 'core/ settings/limits.ts'],
  ['store/migrations/', ''],
  ['store/sqlite/', 'core/ settings/limits.ts store/ store/migrations/'],
  ['store/postgres/', 'core/ settings/limits.ts store/ store/migrations/'],
  ['store/', 'core/'],
  ['usecases/', `core/ tokens/ passwords/ settings/limits.ts ${STORE}`],
  ['operations/', 'core/ usecases/ tokens/ passwords/ settings/ store/'],
  ['http/*/', `http/ core/ usecases/ passwords/ operations/ settings/limits.ts ${STORE}`],
  ['http/', `core/ usecases/ tokens/ settings/limits.ts ${STORE}`],
  ['cli/', `core/ usecases/ tokens/ passwords/ settings/ ${STORE} compose.ts serve.ts version.ts`],
  ['version.ts', ''],
  ['compose.ts', './'],
  ['open-store.ts', './'],
  ['recover-store.ts', './'],
  ['default-application.ts', './'],
  ['serve.ts', './'],
  ['command-line.ts', './'],
  ['main.ts', './'],
]

/** Where a package may be imported; all other places use what these places export. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'find-my-way': ['src/http/server.ts'],
  cors: ['src/http/server.ts'],
  '@fastify/proxy-addr': ['src/http/address.ts'],
  commander: ['src/cli/'],
  pg: ['src/store/postgres/'],
  mysql2: ['src/cli/import/'],
  pino: ['src/operations/log.ts'],
  'prom-client': ['src/operations/metrics.ts'],
  '@node-rs/argon2': ['src/passwords/'],
  '@node-rs/bcrypt': ['src/passwords/'],
}

/** What the core may use of Node: only pure functions. */
const PURE: Readonly<Record<string, readonly string[]>> = { 'node:net': ['isIP', 'isIPv4', 'isIPv6'] }

describe('who may import whom', () => {
  const imports = product.flatMap((source) =>
    importsOf(source).map((found) => ({ path: source.path, ...found })),
  )
  const none = (wrong: (entry: (typeof imports)[number]) => boolean) =>
    assert.deepEqual(
      imports.filter(wrong).map(({ path, from }) => `${path} imports ${from}`),
      [],
    )

  test('every part imports only what ARCHITECTURE.md allows it', () => {
    none(({ path, from }) => from.startsWith('src/') && !mayImport(path.slice(4), from.slice(4)))
  })

  test('an engine of the store is imported by open-store.ts alone', () => {
    none(
      ({ path, from }) =>
        /^src\/store\/(sqlite|postgres)\//.test(from) &&
        path !== 'src/open-store.ts' &&
        posix.dirname(from) !== posix.dirname(path),
    )
  })

  test('a package is imported in its own place only', () => {
    none(
      ({ path, from }) =>
        !/^(src\/|node:)/.test(from) && !(PACKAGES[from] ?? []).some((place) => path.startsWith(place)),
    )
  })

  test('the core uses nothing of Node but functions of their arguments', () => {
    none(
      ({ path, from, names }) =>
        path.startsWith('src/core/') &&
        from.startsWith('node:') &&
        !names.every((name) => PURE[from]?.includes(name) === true),
    )
  })

  test('the core has no clock, no randomness and no waiting', () => {
    const impure =
      /\b(Date\.now|performance\.now|new Date\(\)|Math\.random|process\.|async |await |setTimeout)/
    const wrong = product.filter(({ path, text }) => path.startsWith('src/core/') && impure.test(text))
    assert.deepEqual(paths(wrong), [])
  })

  test('there are no barrels', () => {
    const wrong = product.filter(
      ({ path, text }) => basename(path) === 'index.ts' || /^export (type )?(\*|\{[^}]*\}) from/m.test(text),
    )
    assert.deepEqual(paths(wrong), [])
  })
})

describe('size and form', () => {
  test(`no file is longer than ${FILE_LINES} lines`, () => {
    const wrong = sources.filter(({ lines }) => lines.length > FILE_LINES)
    assert.deepEqual(paths(wrong), [])
  })

  test(`no function is longer than ${FUNCTION_LINES} lines`, () => {
    const wrong = sources.flatMap((source) =>
      functionsOf(source)
        .filter(({ length }) => length > FUNCTION_LINES)
        .map(({ line, length }) => `${source.path}:${line} has ${length} lines`),
    )
    assert.deepEqual(wrong, [])
  })

  test('a function is measured without the functions inside it', () => {
    const text = `
const table = {
  a: 1,
}
function outer(
  a: number,
): { b: number } {
  const inner = () => {
    a()
  }
  if (a) {
    return { b: a }
  }
}
class Other {
  method(): void {
    a()
  }
}`
    const found = functionsOf({ path: '', text, lines: text.split('\n') })
    assert.deepEqual(found, [
      { line: 8, length: 3 },
      { line: 5, length: 7 },
      { line: 16, length: 3 },
    ])
  })

  test('files are named in kebab-case', () => {
    const wrong = sources.filter(
      ({ path }) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.(ts|mjs)$/.test(basename(path)),
    )
    assert.deepEqual(paths(wrong), [])
  })

  test('nothing is marked as to be done later', () => {
    const mark = new RegExp(`\\b(${['TO', 'FIX'].map((start, i) => start + ['DO', 'ME'][i]).join('|')})\\b`)
    assert.deepEqual(paths(sources.filter(({ text }) => mark.test(text))), [])
  })

  test('no test is left out without a reason, and none runs alone', () => {
    const leftOut = /\b(describe|it|suite|test)\.(only|skip|todo)\(|\b(only|todo|skip): true\b/
    assert.deepEqual(paths(sources.filter(({ text }) => leftOut.test(text))), [])
  })

  test(`the README has at most ${README_LINES} lines`, () => {
    const lines = readFileSync(join(root, 'README.md'), 'utf8').trimEnd().split('\n').length
    assert.ok(lines <= README_LINES, `it has ${lines}`)
  })
})

interface Import {
  /** A path from the root of the project, or the name of a package. */
  readonly from: string
  readonly names: readonly string[]
}

function importsOf({ path, text }: Source): Import[] {
  const statements =
    /^(?:import|export)\s+([^'"`;]*?)\s*from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^import '([^']+)'/gm
  return [...text.matchAll(statements)].map(([, clause = '', named, dynamic, bare]) => {
    const specifier = named ?? dynamic ?? bare ?? ''
    const from = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : packageOf(specifier)
    return { from, names: namesOf(clause) }
  })
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function namesOf(clause: string): string[] {
  return clause
    .replace(/^type\b/, '')
    .replace(/[{}]/g, '')
    .split(',')
    .map(
      (name) =>
        name
          .trim()
          .replace(/^type /, '')
          .split(' as ')[0] as string,
    )
    .filter((name) => name !== '')
}

/** Both paths are relative to `src/`. */
function mayImport(path: string, from: string): boolean {
  const entry = MAY_IMPORT.find(([part]) => patternOf(part).test(path))
  assert.ok(entry, `src/${path} is in no part that MAY_IMPORT knows; add it, and to ARCHITECTURE.md`)
  const own = patternOf(entry[0]).exec(path)?.[0] as string
  if (from.startsWith(own)) return true
  return entry[1].split(' ').some((other) => {
    if (other === './') return true
    // Of a folder that contains the part, only the files are allowed, not the other folders.
    if (own.startsWith(other)) return `${posix.dirname(from)}/` === other
    return other !== '' && from.startsWith(other)
  })
}

function patternOf(part: string): RegExp {
  return new RegExp(`^${part.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}`)
}

/**
 * Functions with a body of several lines, and their length without functions inside them: a function that only lists
 * functions is a table of contents, and so is a `describe` with its rows of data. The formatter aligns the end of a
 * block with the beginning of its statement, so indentation is enough to find both.
 */
function functionsOf({ lines }: Source): { line: number; length: number }[] {
  const counted = new Set<number>()
  return lines.flatMap((line, end) => {
    const indent = /^( *)\}/.exec(line)?.[1]
    const start = indent === undefined ? null : startOf(lines, end, indent)
    if (start === null || !isFunction(lines.slice(start, end))) return []
    let length = 0
    for (let i = start; i <= end; i++) {
      if (!counted.has(i)) length++
      counted.add(i)
    }
    return [{ line: start + 1, length }]
  })
}

/** The first line of the statement whose block ends at `end`; null if the block belongs to no statement. */
function startOf(lines: readonly string[], end: number, indent: string): number | null {
  for (let i = end - 1; i >= 0; i--) {
    const line = lines[i] as string
    if (!line.startsWith(indent) || /^[ })\]|&?:]/.test(line.slice(indent.length)) || line === '') continue
    return i
  }
  return null
}

function isFunction(block: readonly string[]): boolean {
  const opening = block.findIndex((line) => line.endsWith('{'))
  const head = block
    .slice(0, opening + 1)
    .map((line) => line.trim())
    .join(' ')
  if (head.startsWith('describe(')) return false
  if (/^(export )?(default )?(async )?function\b/.test(head) || head.endsWith('=> {')) return true
  const keyword =
    /^(if|else|for|while|do|switch|try|catch|finally|return|class|interface|type|const|export)\b/
  return !keyword.test(head) && /^(static |async |get |set |\*)*#?\w+(<.*>)?\(.*\{$/.test(head)
}

function paths(found: readonly Source[]): string[] {
  return found.map(({ path }) => path)
}
