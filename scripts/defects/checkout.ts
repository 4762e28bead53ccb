/** Makes copies of the checkout into which a defect can be put. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutation } from './mutation.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Copies the files that git tracks or would add into a temporary folder, and links the packages. */
export function copyCheckout(): string {
  const copy = mkdtempSync(join(tmpdir(), 'duktig-defects-'))
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const files = execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean)
  // Git also lists a file that was removed and not yet committed.
  for (const file of files.filter((one) => existsSync(join(ROOT, one)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    cpSync(join(ROOT, file), join(copy, file))
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** Puts a defect into a copy. Returns a function that takes it out again, or the reason why it could not be put in. */
export function putIn(copy: string, mutation: Mutation): (() => void) | string {
  const file = join(copy, mutation.file)
  const before = readFileSync(file, 'utf8')
  const found = before.split(mutation.search).length - 1
  if (found !== 1) return `the text to replace is there ${found} times`
  writeFileSync(
    file,
    before.replace(mutation.search, () => mutation.replace),
  )
  return () => writeFileSync(file, before)
}
