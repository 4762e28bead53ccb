/** Makes copies of the checkout into which a defect can be put. */
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT, copyProject } from '../../test/support/copy-project.ts'
import type { Mutation } from './mutation.ts'

/** Copies the project into a temporary folder, and links the packages. */
export function copyCheckout(): string {
  const copy = mkdtempSync(join(tmpdir(), 'duktig-defects-'))
  copyProject(copy)
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
