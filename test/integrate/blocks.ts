/** The blocks of docs/integrate.md, so that the tests run what readers copy. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What the blocks call the service. */
export const ISSUER = 'https://auth.example.com'

/** The blocks of a language under a heading, in their order. */
export function blocksOf(heading: string, language: string): readonly string[] {
  const page = readFileSync(join(ROOT, 'docs/integrate.md'), 'utf8')
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`))
  assert.ok(section !== undefined, `docs/integrate.md has a section "${heading}"`)
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm'))].map(
    ([, text = '']) => text,
  )
}

/** The only block of a language under a heading, with other words in the place of some of its own. */
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

/** A folder in which the packages of the project can be imported. */
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

/** The function that a block of JavaScript exports. */
export async function importVerify(folder: Folder, text: string): Promise<Verify> {
  const file = folder.write(`block-${Math.random().toString(36).slice(2)}.mjs`, text)
  const module = (await import(pathToFileURL(file).href)) as { verifyAccessToken: Verify }
  return module.verifyAccessToken
}

/** Why a program cannot be used here; false if it can. */
export function missing(program: string, ...args: readonly string[]): string | false {
  const { error } = spawnSync(program, args, { stdio: 'ignore' })
  return error === undefined ? false : `there is no ${program} on this machine`
}
