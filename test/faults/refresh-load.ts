/**
 * Generates refreshes in a process of its own, so that neither the service nor the test loses time to it. Many
 * sessions, each following its own token, share fewer connections, as behind a proxy. Four phases are measured: as fast
 * as the service answers (its capacity); at a fixed rate beyond the capacity, whatever the service answers; at a
 * quarter of the capacity; once more as fast as it answers. `node refresh-load.ts PLAN` prints the results.
 */
import { readFileSync } from 'node:fs'
import { type Socket, connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

/** The content of the file PLAN: thousands of tokens are too long for a command line. */
export interface LoadPlan {
  readonly port: number
  readonly tokens: readonly string[]
  readonly connections: number
  readonly times: number
  readonly seconds: number
}

export interface Outcome {
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Requests that were due but not answered within five seconds after the phase. */
  readonly unanswered: number
  /** Answers 429 and 503 that do not say, in `Retry-After`, when to retry. */
  readonly withoutRetryAfter: number
  /** Successful refreshes a second, while the load lasted. */
  readonly perSecond: number
  /** Measured from when a request was due, including any wait for a free connection. */
  readonly p99Ms: number
  readonly p99OfRefusalsMs: number
}

export interface LoadResult {
  readonly capacity: Outcome
  readonly overload: Outcome
  readonly afterwards: Outcome
  /** Measured again: the speed of a machine may change within a minute by as much as the excess. */
  readonly capacityAgain: Outcome
}

/** Concurrent requests that measure the capacity: more than share a commit, so that there is always a next batch. */
const BUSY = 384
const CAPACITY_SECONDS = 10
const AFTERWARDS_SECONDS = 3
const GRACE_MS = 5000
const LENGTH = '\r\ncontent-length: '
const TOKEN = '"refresh_token":"'
/** Space for one token, with room for more digits. */
const MOST_CHARACTERS = 512

interface Connection {
  /** Opened when first needed: the service closes connections on which nothing is sent. */
  socket: Socket | null
  /** The holder whose refresh this connection carries. */
  holder: number
  received: string
  dueMs: number
  /** The tally of the phase in which the request was sent. */
  tally: Tally
}

class Tally {
  readonly statuses: Record<string, number> = {}
  readonly #all: number[] = []
  readonly #refusals: number[] = []
  readonly #endMs: number
  #withoutRetryAfter = 0
  #served = 0

  constructor(seconds: number) {
    this.#endMs = performance.now() + seconds * 1000
  }

  get answers(): number {
    return this.#all.length
  }

  add(head: string, tookMs: number): void {
    const status = head.slice(9, 12)
    this.statuses[status] = (this.statuses[status] ?? 0) + 1
    this.#all.push(tookMs)
    if (status === '200' && performance.now() <= this.#endMs) this.#served++
    if (status !== '503' && status !== '429') return
    this.#refusals.push(tookMs)
    if (!/\r\nretry-after: *\d+/i.test(head)) this.#withoutRetryAfter++
  }

  outcome(due: number, seconds: number): Outcome {
    return {
      statuses: this.statuses,
      unanswered: due - this.answers,
      withoutRetryAfter: this.#withoutRetryAfter,
      perSecond: this.#served / seconds,
      p99Ms: p99(this.#all),
      p99OfRefusalsMs: p99(this.#refusals),
    }
  }
}

/**
 * The tokens of all holders, in a queue: a holder rejoins at its end once answered, served or refused. The tokens lie
 * in one block of memory, so that garbage collection, which would count as the service's delay, has nothing to do with
 * them.
 */
class Holders {
  readonly #tokens: Buffer
  readonly #lengths: Uint16Array
  /**
   * How many of a holder's refreshes were answered 200. Part of the attempt key, which clients are advised to keep
   * until a refresh succeeds.
   */
  readonly #refreshes: Uint32Array
  readonly #queue: Uint32Array
  #first = 0
  #last = 0

  constructor(tokens: readonly string[]) {
    this.#tokens = Buffer.alloc(tokens.length * MOST_CHARACTERS)
    this.#lengths = new Uint16Array(tokens.length)
    this.#refreshes = new Uint32Array(tokens.length)
    this.#queue = Uint32Array.from(tokens.keys())
    for (const [holder, token] of tokens.entries()) this.#store(holder, token)
  }

  next(): number {
    const holder = this.#queue[this.#first] ?? 0
    this.#first = (this.#first + 1) % this.#queue.length
    return holder
  }

  back(holder: number): void {
    this.#queue[this.#last] = holder
    this.#last = (this.#last + 1) % this.#queue.length
  }

  /** The headers of the holder's refresh. */
  headers(holder: number): string {
    const start = holder * MOST_CHARACTERS
    const token = this.#tokens.toString('latin1', start, start + (this.#lengths[holder] ?? 0))
    return `Refresh-Token: ${token}\r\nIdempotency-Key: attempt-${holder}-${this.#refreshes[holder]}\r\n`
  }

  /** `token` is empty if the old one stays valid. */
  refreshed(holder: number, token: string): void {
    this.#refreshes[holder] = (this.#refreshes[holder] ?? 0) + 1
    if (token !== '') this.#store(holder, token)
  }

  #store(holder: number, token: string): void {
    if (token.length > MOST_CHARACTERS) throw new Error('a token is longer than its place')
    this.#lengths[holder] = this.#tokens.write(token, holder * MOST_CHARACTERS, 'latin1')
  }
}

async function run({ port, tokens, connections, times, seconds }: LoadPlan): Promise<LoadResult> {
  const load = new Load(port, new Holders(tokens), connections)
  const untilBusy = Math.min(seconds / 2, CAPACITY_SECONDS)
  // The first round only makes the service compile its code.
  await load.closedLoop(untilBusy)
  const capacity = await load.closedLoop(untilBusy)
  const overload = await load.openLoop(capacity.perSecond * times, seconds)
  const afterwards = await load.openLoop(capacity.perSecond / 4, Math.min(seconds, AFTERWARDS_SECONDS))
  const capacityAgain = await load.closedLoop(untilBusy)
  return { capacity, overload, afterwards, capacityAgain }
}

class Load {
  readonly #port: number
  readonly #holders: Holders
  #tally = new Tally(0)
  readonly #free: Connection[]
  #again: (connection: Connection) => void = () => {}

  constructor(port: number, holders: Holders, connections: number) {
    this.#port = port
    this.#holders = holders
    this.#free = Array.from({ length: connections }, () => ({
      socket: null,
      holder: 0,
      received: '',
      dueMs: 0,
      tally: this.#tally,
    }))
  }

  /** Sends requests for `seconds`, `BUSY` at a time, each once an earlier one is answered. */
  async closedLoop(seconds: number): Promise<Outcome> {
    this.#tally = new Tally(seconds)
    const endMs = performance.now() + seconds * 1000
    let sent = 0
    const send = () => {
      // Connections are used in turn, so that all are open after a while.
      const connection = this.#free.shift()
      if (connection === undefined) return
      sent++
      this.#send(connection, performance.now())
    }
    const done = new Promise<void>((resolve) => {
      this.#again = (connection) => {
        this.#free.push(connection)
        if (performance.now() < endMs) send()
        else if (this.#tally.answers === sent) resolve()
      }
    })
    for (let i = 0; i < BUSY; i++) send()
    await Promise.race([done, wait(seconds * 1000 + GRACE_MS)])
    return this.#tally.outcome(sent, seconds)
  }

  /** Sends `rate` requests a second, each at its time, whether or not earlier ones have been answered. */
  async openLoop(rate: number, seconds: number): Promise<Outcome> {
    this.#tally = new Tally(seconds)
    const total = Math.round(rate * seconds)
    const startedMs = performance.now()
    const lastMs = startedMs + seconds * 1000 + GRACE_MS
    let due = 0
    let sent = 0
    const sendWhatIsDue = () => {
      while (sent < due) {
        const connection = this.#free.shift()
        if (connection === undefined) return
        this.#send(connection, startedMs + (sent++ * 1000) / rate)
      }
    }
    this.#again = (connection) => {
      this.#free.push(connection)
      sendWhatIsDue()
    }
    while (this.#tally.answers < total && performance.now() < lastMs) {
      due = Math.min(total, Math.ceil(((performance.now() - startedMs) * rate) / 1000))
      sendWhatIsDue()
      await wait(1)
    }
    // A connection that becomes free later sends nothing more of this phase.
    due = sent
    return this.#tally.outcome(total, seconds)
  }

  #send(connection: Connection, dueMs: number): void {
    connection.dueMs = dueMs
    connection.tally = this.#tally
    connection.holder = this.#holders.next()
    connection.socket ??= this.#connect(connection)
    const headers = this.#holders.headers(connection.holder)
    connection.socket.write(
      `POST /auth/refresh_token HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n${headers}\r\n`,
      'latin1',
    )
  }

  #connect(connection: Connection): Socket {
    const socket = connect(this.#port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => this.#read(connection, chunk))
    // A request whose connection breaks counts as unanswered.
    socket.on('error', () => {})
    socket.on('close', () => {
      connection.socket = null
    })
    return socket
  }

  #read(connection: Connection, chunk: string): void {
    connection.received += chunk
    const { received, holder } = connection
    const headEnd = received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = received.slice(0, headEnd)
    const lengthAt = head.indexOf(LENGTH)
    const length = lengthAt < 0 ? 0 : Number.parseInt(head.slice(lengthAt + LENGTH.length), 10)
    if (received.length < headEnd + 4 + length) return
    if (head.startsWith('HTTP/1.1 200')) {
      // Not parsed as JSON: time that this process loses would count as the service's delay.
      const tokenAt = received.indexOf(TOKEN, headEnd)
      const endAt = received.indexOf('"', tokenAt + TOKEN.length)
      this.#holders.refreshed(holder, tokenAt < 0 ? '' : received.slice(tokenAt + TOKEN.length, endAt))
    }
    this.#holders.back(holder)
    connection.received = ''
    connection.tally.add(head, performance.now() - connection.dueMs)
    this.#again(connection)
  }
}

/** The 99th percentile; 0 if there are no values. */
function p99(values: readonly number[]): number {
  return Float64Array.from(values).sort()[Math.floor(values.length * 0.99)] ?? 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const result = await run(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as LoadPlan)
  process.stdout.write(`${JSON.stringify(result)}\n`)
  process.exit(0)
}
