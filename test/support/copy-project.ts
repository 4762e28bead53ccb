import { spawnSync } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Copies into `folder` the files that git tracks or would add: of the whole project, or of `parts`. A file that
 * .gitignore hides by mistake is missing in the copy, as in a clone. Where git cannot list them, `parts` are copied
 * whole.
 */
export function copyProject(folder: string, parts: readonly string[] = []): void {
  for (const path of projectFiles(parts)) cpSync(join(ROOT, path), join(folder, path), { recursive: true })
}

function projectFiles(parts: readonly string[]): readonly string[] {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...parts]
  const { status, stdout, stderr, error } = spawnSync('git', list, { cwd: ROOT, encoding: 'utf8' })
  // Git also lists a file that was removed and not yet committed.
  if (status === 0) return stdout.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)))
  if (parts.length > 0) return parts
  throw new Error(`git cannot list the files of ${ROOT}: ${error?.message ?? stderr}`)
}
