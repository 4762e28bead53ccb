/** docs/defects.md, the tests that it names, and the changes of `npm run defects` agree with one another. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MUTATIONS } from '../../scripts/defects/all.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const page = read('docs/defects.md')

interface Row {
  readonly id: string
  readonly files: readonly string[]
  /** The names of tests by file; empty for a file if the row means all its tests. */
  readonly tests: ReadonlyMap<string, readonly string[]>
}

const rows = [...page.matchAll(/^\| ((?:O|P)?\d+) \| .* \| ([^|]*) \| ([^|]*) \|$/gm)].map(
  ([, id = '', files = '', tests = '']): Row => ({
    id,
    files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
    tests: testsIn(tests),
  }),
)

function testsIn(cell: string): ReadonlyMap<string, readonly string[]> {
  const tests = new Map<string, string[]>()
  let names: string[] = []
  for (const [, file, name] of cell.matchAll(/`(test\/[^`]+)`|“([^”]+)”/g)) {
    if (file !== undefined) tests.set(file, (names = []))
    if (name !== undefined) names.push(name)
  }
  return tests
}

/** The names of tests and groups of a file, as they are written there. */
function titlesIn(file: string): readonly string[] {
  return [...read(file).matchAll(/\b(?:test|describe)\(\s*(['"`])(.*?)\1,/gs)].map(
    ([, , title = '']) => title,
  )
}

test('the page has all defects of the original, of the protocol, and of other systems', () => {
  const ids = rows.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  const numbers = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`)
  const last = page.slice(page.indexOf('Not concerned'))
  const left = [...last.matchAll(/\b\d+\b/g)]
    .map(([number]) => number)
    .filter((number) => Number(number) <= 54)
  assert.deepEqual(
    [...ids, ...left].toSorted(),
    [...numbers('O', 16), ...numbers('P', 7), ...numbers('', 54)].toSorted(),
  )
})

test('every file and every test that the page names is there', () => {
  for (const { id, files, tests } of rows) {
    assert.ok(files.length > 0, id)
    for (const file of files) assert.ok(existsSync(join(ROOT, file)), `${id}: ${file}`)
    for (const [file, names] of tests) {
      const titles = titlesIn(file)
      for (const name of names) assert.ok(titles.includes(name), `${id}: ${file} has no test “${name}”`)
    }
  }
})

test('every test of a defect is on the page', () => {
  const named = new Set(rows.flatMap(({ tests }) => [...tests.values()].flat()))
  const ofOthers = globSync('test/defects/*.test.ts', { cwd: ROOT }).filter(
    (file) => !file.endsWith('table.test.ts'),
  )
  const ofOriginal = ['test/http/defects.test.ts', 'test/http/more-defects.test.ts']
  for (const file of [...ofOthers, ...ofOriginal]) {
    // Groups contain tests, but are not tests themselves.
    const groups = [...read(file).matchAll(/\bdescribe\(\s*(['"`])(.*?)\1,/gs)].map(([, , title]) => title)
    for (const title of titlesIn(file)) {
      assert.ok(named.has(title) || groups.includes(title), `${file}: “${title}” is not on the page`)
    }
  }
})

test('every defect on the page is put in by at least one change, and every change is of a defect on the page', () => {
  const changed = new Set(MUTATIONS.map(({ defect }) => defect))
  assert.deepEqual([...changed].toSorted(), rows.map(({ id }) => id).toSorted())
})

test('every change is found in the sources exactly once, so that it can be made', () => {
  for (const { defect, file, search, replace, caughtBy } of MUTATIONS) {
    assert.equal(read(file).split(search).length - 1, 1, `${defect}: ${file}`)
    assert.notEqual(search, replace, defect)
    for (const caught of caughtBy) assert.ok(existsSync(join(ROOT, caught)), `${defect}: ${caught}`)
  }
})
