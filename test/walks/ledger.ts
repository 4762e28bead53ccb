/**
 * Compares all answers with the promises of docs/refresh.md. The ledger knows what the protocol shows (who presented
 * what, what came back, which ends were acknowledged) but not its rules: it never calls the decision.
 */
import type { Plan, Timing } from './plan.ts'
import type { Caller, Reply, Row, Token } from './site.ts'

/** One request that was answered. */
export interface Call {
  readonly who: string
  readonly token: Token
  readonly key: string | null
  readonly caller: Caller
  /** A genuine token of another account: it must get nothing. */
  readonly stranger: boolean
  readonly reply: Reply
}

/** Calls that ran side by side, and the end, if any, that was acknowledged while they ran. */
export interface Burst {
  readonly calls: readonly Call[]
  readonly fromMs: number
  readonly toMs: number
  /** The reason that the row must show for the acknowledged end; null if there was none. */
  readonly end: string | null
}

interface Rotation {
  readonly fromMs: number
  readonly toMs: number
  /** The attempt keys of all requests that may have made the rotation. */
  readonly keys: ReadonlySet<string | null>
}

interface Current {
  readonly generation: number
  /** Counts restores: the time that a restore undid may have given the same generation other bytes. */
  readonly line: number
  readonly rotation: Rotation
  readonly previousKeys: ReadonlySet<string | null>
  readonly lastGrantMs: number
}

export type Kind = 'kept' | 'advanced' | 'recovered' | 'repeated' | 'reuse' | 'refused'

export class Broken extends Error {
  override name = 'Broken'
}

const NO_KEYS: ReadonlySet<string | null> = new Set([null])

export class Ledger {
  readonly kinds: Kind[] = []
  /** The reason of the first acknowledged end. */
  over: string | null = null
  /** Whether the account is suspended now. */
  suspended = false
  readonly #plan: Plan
  readonly #openedMs: number
  readonly #grant: string
  readonly #minted = new Map<string, string>()
  #current: Current
  #lines = 0

  constructor(plan: Plan, first: Token, row: Row, nowMs: number) {
    this.#plan = plan
    this.#openedMs = nowMs
    this.#grant = row.grant
    const rotation = { fromMs: nowMs, toMs: nowMs, keys: NO_KEYS }
    this.#current = { generation: 1, line: 0, rotation, previousKeys: NO_KEYS, lastGrantMs: nowMs }
    this.#minted.set('0/1', first.identity)
  }

  get current(): number {
    return this.#current.generation
  }

  /** Remembers what a backup of the row holds. Calling the result is the restore; a recovery counts as a use. */
  backup(): (recoveredMs: number | null) => void {
    const saved = this.#current
    return (recoveredMs) => {
      this.#lines += 1
      this.#current = { ...saved, lastGrantMs: recoveredMs ?? saved.lastGrantMs }
    }
  }

  /** Checks and records a burst, with the row that was committed after it. */
  note(burst: Burst, row: Row): void {
    const before = this.#current
    for (const call of burst.calls) this.#checkCall(call, burst, before)
    this.#advance(burst, before)
    for (const call of burst.calls) this.#checkGeneration(call, before)
    this.#checkReuse(burst, before)
    const reuse = burst.calls.some(isReuse)
    for (const call of burst.calls) this.#checkRefusal(call, burst, reuse)
    this.#checkEnd(burst, reuse, row)
    for (const call of burst.calls) this.kinds.push(kindOf(call, before.generation))
  }

  /** S2, S4: nobody gets a token after an acknowledged end, and a stranger never does. */
  #checkCall({ reply, who, caller, stranger }: Call, burst: Burst, before: Current): void {
    if (reply.kind === 'fault') throw new Broken(`a fault for ${who}: ${reply.message}`)
    if (reply.kind === 'refused') return
    if (this.over !== null) throw new Broken(`S2: ${who} got a token after the end (${this.over})`)
    if (stranger || caller === 'foreign')
      throw new Broken(`S4: ${who} got a token of somebody else's session`)
    if (this.suspended) throw new Broken(`S4: ${who} got a token for a suspended account`)
    const { policy, timing } = this.#plan
    if (burst.fromMs - this.#openedMs > policy.ttlMs + timing.slackMs)
      throw new Broken(`S4: ${who} got a token after the absolute end`)
    const grainMs = Math.min(300_000, policy.idleMs / 10)
    if (policy.idleMs > 0 && burst.fromMs - before.lastGrantMs > policy.idleMs + grainMs + timing.slackMs)
      throw new Broken(`S4: ${who} got a token though the session was idle too long`)
  }

  /** S1: new generations come one by one, each made from the newest before it. */
  #advance({ calls, fromMs, toMs }: Burst, before: Current): void {
    const granted = calls.filter(({ reply }) => reply.kind === 'granted')
    if (granted.length > 0) this.#current = { ...this.#current, lastGrantMs: toMs }
    const fresh = new Set(granted.map((call) => answered(call)).filter((g) => g > before.generation))
    if (fresh.size > 0 && !this.#plan.policy.rotation) throw new Broken('a token rotated with rotation off')
    for (const generation of [...fresh].toSorted((a, b) => a - b)) {
      const makers = granted.filter(
        (call) => call.token.generation === generation - 1 && answered(call) === generation,
      )
      if (makers.length === 0 || generation - 1 < before.generation)
        throw new Broken(`S1: generation ${generation} was made out of an old token`)
      const keys = new Set(makers.map(({ key }) => key))
      this.#current = {
        generation,
        line: this.#lines,
        rotation: { fromMs, toMs, keys },
        previousKeys: this.#current.rotation.keys,
        lastGrantMs: toMs,
      }
    }
  }

  /** S1, S3: all who are given a generation are given the same token; only the newest token may be kept. */
  #checkGeneration(call: Call, before: Current): void {
    if (call.reply.kind !== 'granted') return
    const { generation } = this.#current
    const given = answered(call)
    if (given === 0) {
      const { generation: kept } = call.token
      // After a restore, a token of a later generation may come and be kept.
      if (kept < before.generation || (kept > generation && this.#lines === 0))
        throw new Broken(`S1: ${call.who} may keep generation ${kept}, while ${generation} is current`)
      return
    }
    if (given < before.generation || given > generation)
      throw new Broken(`S1: ${call.who} was given generation ${given}, while ${generation} is current`)
    const name = `${given > before.generation ? this.#lines : before.line}/${given}`
    const identity = (call as GivenCall).given.identity
    const known = this.#minted.get(name)
    if (known !== undefined && known !== identity)
      throw new Broken(`S3: two tokens of generation ${given}: ${known} and ${identity}`)
    this.#minted.set(name, identity)
  }

  /** L2: an old token that comes late ends the session, and nothing else ends it as reused. */
  #checkReuse(burst: Burst, before: Current): void {
    if (this.over !== null || burst.end !== null || this.suspended || this.#timeIsUp(burst, before)) return
    const calls = burst.calls.filter(({ stranger, caller }) => !stranger && caller !== 'foreign')
    const ended = calls.some(isReuse)
    if (ended && !calls.some((call) => this.#mayEnd(call, burst, before)))
      throw new Broken('L1: the session ended as reused, and nobody had presented an old token late')
    for (const call of calls) {
      if (!mustEnd(call, burst, before, this.#plan.timing)) continue
      const late = `L2: ${call.who} came late with generation ${call.token.generation}`
      if (call.reply.kind === 'granted') throw new Broken(`${late} and was not refused`)
      if (!ended) throw new Broken(`${late} and the session goes on`)
    }
  }

  /** Whether a call may end the session: within `G`, the previous token only gets its successor. */
  #mayEnd({ token }: Call, { toMs }: Burst, before: Current): boolean {
    if (token.generation < this.#current.generation - 1) return true
    const isLate = toMs - before.rotation.fromMs > this.#plan.timing.parallelMs
    return token.generation < before.generation && isLate
  }

  /** L1; also, nobody is refused without a cause, or told a wrong one. */
  #checkRefusal(call: Call, burst: Burst, reuse: boolean): void {
    const { reply, who } = call
    if (reply.kind !== 'refused' || call.stranger || call.caller === 'foreign') return
    if (this.#plan.honest) throw new Broken(`L1: ${who} was refused: ${reply.reason}`)
    const cause =
      reuse ||
      this.over !== null ||
      burst.end !== null ||
      this.suspended ||
      this.#timeIsUp(burst, this.#current)
    if (!cause) throw new Broken(`${who} was refused without a cause: ${reply.reason}`)
    if (this.over === null || burst.end !== null) return
    const told = this.suspended ? 'account-inactive' : this.over
    const hidden = ['application-unknown', 'application-disabled', 'expired', 'idle', told]
    if (!hidden.includes(reply.reason)) throw new Broken(`${who} was told ${reply.reason} and not ${told}`)
  }

  #timeIsUp({ toMs }: Burst, current: Current): boolean {
    const { policy, timing } = this.#plan
    // The absolute end is a whole second.
    const old = toMs - this.#openedMs >= policy.ttlMs - 1000 - timing.slackMs
    return old || (policy.idleMs > 0 && toMs - current.lastGrantMs > policy.idleMs - timing.slackMs)
  }

  /** S2, S4, S5: the row, read on another connection, agrees with the answers. */
  #checkEnd(burst: Burst, reuse: boolean, row: Row): void {
    this.over ??= burst.end ?? (reuse ? 'reuse' : null)
    if (row.grant !== this.#grant) throw new Broken(`S4: the grant changed: ${row.grant}`)
    if (row.generation !== this.#current.generation)
      throw new Broken(`S1: the row is at ${row.generation}, handed out was ${this.#current.generation}`)
    const byRow = this.over !== null && this.over !== 'application-disabled'
    if (byRow && row.endedAtMs === null)
      throw new Broken(`S5: ${this.over} was acknowledged, but not written`)
    if (this.over === null && row.endedAtMs !== null)
      throw new Broken(`the session has ended (${row.endReason}), and nobody was told`)
    // Of two concurrent ends, the first one is written.
    const alone = !(reuse && burst.end !== null)
    if (byRow && alone && row.endReason !== this.over)
      throw new Broken(`the end was written as ${row.endReason} and acknowledged as ${this.over}`)
    this.over = row.endReason ?? this.over
  }
}

/**
 * L2: whether the call must end the session, judged by what happened and not by what the row remembers. A call with the
 * key of the request that made the current token need not.
 */
function mustEnd({ token, key }: Call, { fromMs }: Burst, before: Current, timing: Timing): boolean {
  if (token.generation >= before.generation) return false
  if (token.generation < before.generation - 1) return true
  const { rotation, previousKeys } = before
  if (key !== null && rotation.keys.has(key)) return false
  const [first = null] = rotation.keys
  const remembered = rotation.keys.size === 1 && first !== null && !previousKeys.has(first)
  return fromMs - rotation.toMs > (remembered ? timing.parallelMs : timing.retryMs)
}

/** A call whose reply held a refresh token. */
export interface GivenCall extends Call {
  readonly given: Token
}

/** The generation that a reply handed out; 0 if none. */
function answered(call: Call): number {
  return 'given' in call ? (call as GivenCall).given.generation : 0
}

function isReuse({ reply }: Call): boolean {
  return reply.kind === 'refused' && reply.reason === 'reuse'
}

function kindOf(call: Call, before: number): Kind {
  if (isReuse(call)) return 'reuse'
  if (call.reply.kind !== 'granted') return 'refused'
  const given = answered(call)
  if (given === 0) return 'kept'
  if (given <= before || call.token.generation !== given - 1) return 'repeated'
  return call.token.generation > before ? 'recovered' : 'advanced'
}
