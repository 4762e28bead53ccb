import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** All files in a folder and its subfolders. */
export function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
}
