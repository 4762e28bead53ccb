/** Reads lines from either end of files that are too large for a string. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { linesBackwards, linesOf } from '../../src/operations/journal-lines.ts'

const MIB = 1024 * 1024

function fileFor(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-lines-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'lines')
  writeFileSync(file, text)
  return file
}

async function backwards(path: string): Promise<readonly string[]> {
  const file = await open(path, 'r')
  try {
    const lines: string[] = []
    for await (const some of linesBackwards(file)) lines.push(...some)
    return lines
  } finally {
    await file.close()
  }
}

test('lines are whole wherever a piece of the file ends, in a line, in a character or at a line feed', async (t) => {
  // Lines of irregular lengths, and lines that are longer than a piece of the file.
  const long = ['€'.repeat(100_000), 'x'.repeat(300_000)]
  const short = Array.from({ length: 30_000 }, (_, i) => (i % 7 === 0 ? '' : `${i}-€ł`.repeat(i % 11)))
  const lines = [...short.slice(0, 20_000), ...long, ...short.slice(20_000)]
  for (const end of ['', '\n', '\n\n', '\nhalf a li']) {
    const text = `${lines.join('\n')}${end}`
    assert.ok(Buffer.byteLength(text) > MIB)
    const file = fileFor(t, text)
    assert.deepEqual([...linesOf(file)], text.split('\n'))
    assert.deepEqual(await backwards(file), text.split('\n').toReversed())
  }
})

test('a small file, one without a line feed and one of line feeds alone are read as they are', async (t) => {
  for (const text of ['', 'a', '\n', 'a\n', '\n\n\n', 'a\nb']) {
    const file = fileFor(t, text)
    assert.deepEqual([...linesOf(file)], text.split('\n'))
    assert.deepEqual(await backwards(file), text.split('\n').toReversed())
  }
})

test('a line that is far longer than any of ours is none, and those around it are there', async (t) => {
  const file = fileFor(t, 'a\n')
  truncateSync(file, 40 * MIB)
  appendFileSync(file, '\nb\n')
  assert.deepEqual([...linesOf(file)], ['a', '', 'b', ''])
  assert.deepEqual(await backwards(file), ['', 'b', '', 'a'])
})
