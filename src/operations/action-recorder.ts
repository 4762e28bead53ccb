/** Takes actions without making a request wait, and writes them to the store in groups. */
import type { RecordedAction } from '../core/actions.ts'
import { LIMITS } from '../settings/limits.ts'
import type { ActionGroup, ActionStore } from '../store/action-store.ts'
import type { Clock } from '../store/store.ts'
import { randomId } from '../tokens/random-id.ts'
import { type Action, isEveryday } from '../usecases/events.ts'
import { ActionSpill } from './action-spill.ts'
import type { Log } from './log.ts'
import type { LogTallies } from './log-tally.ts'

export interface RecorderOptions {
  readonly store: Pick<ActionStore, 'recordActions'>
  readonly clock: Clock
  /** For files in which actions wait when the store cannot write and the memory is full. */
  readonly folder: string
  readonly log: Log
  readonly tallies: LogTallies
  /** Called with the number of actions given up. */
  readonly dropped: (count: number) => void
  /** The most actions held in memory. */
  readonly bound?: number
}

/** The pause before the next group, `LIMITS.actionGroupMs`, doubles with each failure in a row, up to this. */
const LONGEST_PAUSE_MS = 5000
const MESSAGE_CHARACTERS = 500

interface Waiting {
  readonly action: RecordedAction
  readonly isEveryday: boolean
}

/**
 * Recorded actions are in the store a moment later. While the store cannot write, they wait in memory; when that is
 * full, everyday ones are given up and security events go into a file, to be taken over later.
 */
export class ActionRecorder {
  readonly #options: RecorderOptions
  readonly #bound: number
  readonly #spill: ActionSpill
  readonly #writer = randomId()
  #number = 0
  #waiting: Waiting[] = []
  /** The group being written, or refused by the store and to be written again unchanged. */
  #group: ActionGroup | null = null
  #running: Promise<boolean> | null = null
  #takingOver: Promise<void> | null = null
  #failures = 0
  #failedToTakeOver = false
  #hasWarned = false
  #isStopped = false
  #timer: NodeJS.Timeout | null = null

  constructor(options: RecorderOptions) {
    this.#options = options
    this.#bound = options.bound ?? LIMITS.actionsInMemory
    this.#spill = new ActionSpill(options.folder, LIMITS.actionsPerGroup)
  }

  /** Takes an action without waiting; never fails. */
  action({ accountId, code, message, sessionId = null, address = null }: Action): void {
    const everyday = isEveryday(code)
    if (this.#waiting.length >= this.#bound && !this.#makeRoom(everyday)) return
    const atMs = this.#options.clock.nowMs()
    const action = { accountId, code, message: storable(message), atMs, address, sessionId }
    this.#waiting.push({ action, isEveryday: everyday })
    this.#schedule()
  }

  /** Called when `tallies` has counted a line: its counts are written with the next group. */
  logged(): void {
    this.#schedule()
  }

  /** Settles once everything recorded before is written, or the store has refused it. */
  async flush(): Promise<void> {
    await this.#takingOver
    // A group under way was made before this call, so what waits now is not in it.
    const underWay = this.#group === null && this.#running === null ? 0 : 1
    const least = this.#options.tallies.isEmpty ? 0 : 1
    let groups = underWay + Math.max(Math.ceil(this.#waiting.length / LIMITS.actionsPerGroup), least)
    while (groups > 0 && (await this.#run())) groups -= 1
  }

  /** Writes actions that wait in files to the store, also those of earlier processes. */
  takeOver(): Promise<void> {
    this.#takingOver ??= this.#takeOver().finally(() => {
      this.#takingOver = null
    })
    return this.#takingOver
  }

  /** Writes everything. What the store refuses goes into a file, which the next process takes over. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#takingOver
    while (!this.#isEmpty()) {
      if (!(await this.#run())) break
    }
    // A group that the store took after a time of refusals has begun one.
    await this.#takingOver
    const left = this.#waiting.map(({ action }) => action)
    if (left.length === 0 && this.#group === null) return
    if (this.#spill.append(left, this.#group)) {
      this.#waiting = []
      this.#group = null
    } else this.#giveUp(left.length + (this.#group?.actions.length ?? 0))
  }

  #isEmpty(): boolean {
    return this.#group === null && this.#waiting.length === 0 && this.#options.tallies.isEmpty
  }

  #schedule(): void {
    const isFull = this.#waiting.length >= LIMITS.actionsPerGroup && this.#failures === 0
    if (this.#isStopped || this.#running !== null || (this.#timer !== null && !isFull)) return
    if (isFull) void this.#run()
    else {
      const pauseMs = Math.min(LIMITS.actionGroupMs * 2 ** this.#failures, LONGEST_PAUSE_MS)
      this.#timer = setTimeout(() => void this.#run(), pauseMs)
      this.#timer.unref()
    }
  }

  /** Writes one group, never two at a time. False if the store refused the group. */
  #run(): Promise<boolean> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#running ??= this.#write().finally(() => {
      this.#running = null
      if (!this.#isEmpty()) this.#schedule()
    })
    return this.#running
  }

  async #write(): Promise<boolean> {
    this.#group ??= this.#nextGroup()
    if (this.#group === null) return true
    try {
      await this.#options.store.recordActions(this.#group)
    } catch (error) {
      this.#warn(error)
      this.#failures = Math.min(this.#failures + 1, 20)
      return false
    }
    const canAgain = this.#failures > 0
    this.#group = null
    this.#failures = 0
    if (this.#hasWarned) this.#options.log.info({ event: 'actions' }, 'The store takes actions again')
    this.#hasWarned = false
    // A file that cannot be read is not tried, and warned of, with every group; the upkeep tries it again.
    if (this.#spill.isWaiting && (canAgain || !this.#failedToTakeOver)) void this.takeOver()
    return true
  }

  #nextGroup(): ActionGroup | null {
    const actions = this.#waiting.splice(0, LIMITS.actionsPerGroup).map(({ action }) => action)
    const logs = this.#options.tallies.take()
    if (actions.length === 0 && logs.length === 0) return null
    this.#number += 1
    return { writer: this.#writer, number: this.#number, actions, logs }
  }

  async #takeOver(): Promise<void> {
    try {
      const torn = await this.#spill.takeOver((group) => this.#options.store.recordActions(group))
      this.#failedToTakeOver = false
      if (torn > 0) this.#options.log.error({ event: 'actions', torn }, 'Actions in a file were unreadable')
    } catch (error) {
      this.#failedToTakeOver = true
      this.#warn(error)
    }
  }

  /** Makes room for one more action. False for an everyday action, which is given up. */
  #makeRoom(everyday: boolean): boolean {
    if (everyday) {
      this.#options.dropped(1)
      return false
    }
    if (this.#dropEveryday() || this.#spillAll()) return true
    // The disk refuses as well. Up to twice the bound everything is kept, then the oldest actions go.
    if (this.#waiting.length >= 2 * this.#bound) {
      this.#giveUp(this.#waiting.splice(0, LIMITS.actionsPerGroup).length)
    }
    return true
  }

  #dropEveryday(): boolean {
    const before = this.#waiting.length
    let room = LIMITS.actionsPerGroup
    this.#waiting = this.#waiting.filter((waiting) => !waiting.isEveryday || room-- <= 0)
    const dropped = before - this.#waiting.length
    if (dropped > 0) this.#options.dropped(dropped)
    return dropped > 0
  }

  #spillAll(): boolean {
    // While the disk refuses, tries once for each group of further actions.
    if ((this.#waiting.length - this.#bound) % LIMITS.actionsPerGroup !== 0) return false
    if (!this.#spill.append(this.#waiting.map(({ action }) => action))) return false
    this.#waiting = []
    return true
  }

  #giveUp(count: number): void {
    this.#options.dropped(count)
    this.#options.log.error({ event: 'actions', count }, 'Actions could neither be stored nor kept in a file')
  }

  /** Warns only once until the store takes actions again. */
  #warn(error: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    const reason = error instanceof Error ? error.message : String(error)
    this.#options.log.warn({ event: 'actions', reason }, 'Recorded actions wait for the store')
  }
}

/** The message as every database can store it: without NUL and lone surrogates, and cut to its bound. */
function storable(message: string): string {
  return message.toWellFormed().replaceAll('\0', '').slice(0, MESSAGE_CHARACTERS)
}
