/** Extracts the code blocks of the documents, so that the tests run what readers copy. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The service's name in the blocks. */
export const ISSUER = 'https://auth.example.com'

/** The blocks in `language` under a heading, in their order. */
export function blocksOf(heading: string, language: string, page = 'docs/integrate.md'): readonly string[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))
  assert.ok(section !== undefined, `${page} has a section "${heading}"`)
  const fences = new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm')
  return [...section.matchAll(fences)].map(([, found = '']) => found)
}

/** The only block in `language` under a heading, with some words replaced. */
export function block(
  heading: string,
  language: string,
  replace: Readonly<Record<string, string>> = {},
): string {
  const [found, ...others] = blocksOf(heading, language)
  assert.ok(found !== undefined && others.length === 0, `one block of ${language} under "${heading}"`)
  return Object.entries(replace).reduce((text, [from, to]) => {
    assert.ok(text.includes(from), `the block says ${from}`)
    return text.replaceAll(from, to)
  }, found)
}

export interface Folder {
  readonly path: string
  write(name: string, text: string): string
  remove(): void
}

/** A folder whose modules can import the packages of the project. */
export function newFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'duktig-integrate-'))
  symlinkSync(join(ROOT, 'node_modules'), join(path, 'node_modules'))
  return {
    path,
    write(name, text) {
      writeFileSync(join(path, name), text)
      return join(path, name)
    },
    remove: () => rmSync(path, { recursive: true }),
  }
}

export type Verify = (token: string) => Promise<Record<string, unknown>>

/** The function for verifying that a block of JavaScript exports. */
export async function importVerify(folder: Folder, text: string): Promise<Verify> {
  return (await importBlock<{ verifyAccessToken: Verify }>(folder, text)).verifyAccessToken
}

let imported = 0

/** What a block of JavaScript exports. */
export async function importBlock<T>(folder: Folder, text: string): Promise<T> {
  const file = folder.write(`block-${++imported}.mjs`, text)
  return (await import(pathToFileURL(file).href)) as T
}

/** Why a program cannot be used here; false if it can. */
export function missing(program: string, ...args: readonly string[]): string | false {
  const { error } = spawnSync(program, args, { stdio: 'ignore' })
  return error === undefined ? false : `there is no ${program} on this machine`
}
