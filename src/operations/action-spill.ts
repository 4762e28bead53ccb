/**
 * Keeps actions in files of the data folder while the store cannot take them, one line of JSON for each group. The
 * store writes a group only once, so taking over a file may stop at any point and begin again.
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecordedAction } from '../core/actions.ts'
import type { ActionGroup } from '../store/action-store.ts'
import { randomId } from '../tokens/random-id.ts'

/** A process appends to its `.spill` file. Taking it over first renames it to `.taken`, which nobody appends to. */
const SPILLED = /^actions-([A-Za-z0-9_-]+)\.spill$/
const TAKEN = /^actions-[A-Za-z0-9_-]+\.taken$/

export class ActionSpill {
  readonly #folder: string
  readonly #groupSize: number
  /** The file that this process appends to. Its unique name also names the writer of its groups. */
  #file: { readonly writer: string; readonly groups: number } | null = null
  #isWaiting = false

  constructor(folder: string, groupSize: number) {
    this.#folder = folder
    this.#groupSize = groupSize
  }

  /** Whether this process knows of files that have not been taken over. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Appends actions durably; `unfinished` is a group that the store may already have. False if the append fails. */
  append(actions: readonly RecordedAction[], unfinished: ActionGroup | null = null): boolean {
    const file = this.#file ?? { writer: randomId(), groups: 0 }
    const groups: ActionGroup[] = unfinished === null ? [] : [unfinished]
    let number = file.groups
    for (let at = 0; at < actions.length; at += this.#groupSize) {
      number += 1
      groups.push({
        writer: file.writer,
        number,
        actions: actions.slice(at, at + this.#groupSize),
        logs: [],
      })
    }
    const text = groups.map((group) => `${JSON.stringify(group)}\n`).join('')
    if (!append(join(this.#folder, `actions-${file.writer}.spill`), text)) return false
    this.#file = { writer: file.writer, groups: number }
    this.#isWaiting = true
    return true
  }

  /**
   * Gives all groups in the folder to `write`, including those of other processes, and removes each file once it is
   * written. Skips lines that a crash tore.
   * @returns how many lines were torn
   */
  async takeOver(write: (group: ActionGroup) => Promise<unknown>): Promise<number> {
    this.#file = null
    this.#isWaiting = false
    try {
      const names = await readdir(this.#folder)
      for (const name of names) {
        const writer = SPILLED.exec(name)?.[1]
        if (writer === undefined) continue
        const taken = `actions-${writer}.taken`
        // Its process appended again after the file was renamed: the renamed file goes first.
        if (names.includes(taken)) this.#isWaiting = true
        else await this.#close(name, taken)
      }
      let torn = 0
      for (const name of (await readdir(this.#folder)).filter((file) => TAKEN.test(file))) {
        torn += await writeAll(join(this.#folder, name), write)
      }
      return torn
    } catch (error) {
      this.#isWaiting = true
      throw error
    }
  }

  /** Another process may already have renamed the file. */
  async #close(name: string, taken: string): Promise<void> {
    try {
      await rename(join(this.#folder, name), join(this.#folder, taken))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

async function writeAll(file: string, write: (group: ActionGroup) => Promise<unknown>): Promise<number> {
  let torn = 0
  const handle = await open(file)
  for await (const line of handle.readLines({ autoClose: true })) {
    const group = groupOf(line)
    if (group === null) torn += 1
    else await write(group)
  }
  await rm(file, { force: true })
  return torn
}

/** Appends all of `text` or, if that fails, nothing. */
function append(file: string, text: string): boolean {
  let descriptor: number | null = null
  try {
    descriptor = openSync(file, 'a', 0o600)
    const { size } = fstatSync(descriptor)
    try {
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
      fsyncSync(descriptor)
      return true
    } catch {
      ftruncateSync(descriptor, size)
      return false
    }
  } catch {
    return false
  } finally {
    if (descriptor !== null) closeSync(descriptor)
  }
}

function groupOf(line: string): ActionGroup | null {
  try {
    const group = JSON.parse(line) as ActionGroup
    const isWhole =
      typeof group.writer === 'string' && Array.isArray(group.actions) && Array.isArray(group.logs)
    return isWhole ? group : null
  } catch {
    return null
  }
}
