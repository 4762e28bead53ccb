/**
 * Refreshes in a process of their own, so that neither the service nor the test takes time from them: clients that follow their
 * tokens, first as fast as the service answers (its capacity), then at a fixed rate beyond it whatever it answers, then at a
 * quarter of it. `node refresh-load.ts PLAN` prints what came of it.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Socket, connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

/** A file of this, since thousands of tokens are too long for a command line. */
export interface LoadPlan {
  readonly port: number
  readonly tokens: readonly string[]
  readonly times: number
  readonly seconds: number
}

export interface Outcome {
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Requests that were due and got no answer within five seconds after the last. */
  readonly unanswered: number
  /** Answers 429 and 503 that do not say when to come again. */
  readonly withoutRetryAfter: number
  /** Answered 200 while the load lasted. */
  readonly perSecond: number
  /** From the moment a request was due, also if it had to wait for a free client. */
  readonly p99Ms: number
  readonly p99OfRefusalsMs: number
}

export interface LoadResult {
  readonly capacity: Outcome
  readonly overload: Outcome
  readonly afterwards: Outcome
}

/** At a time, for the capacity: more than share a commit, so that there is always a next one. */
const BUSY = 384
const CAPACITY_SECONDS = 10
const AFTERWARDS_SECONDS = 3
const GRACE_MS = 5000
const LENGTH = '\r\ncontent-length: '
const TOKEN = '"refresh_token":"'

interface Client {
  /** Opened when it is first needed: the service hangs up on those who connect and say nothing. */
  socket: Socket | null
  token: string
  /** Kept until the refresh has been answered 200, as our advice to clients is. */
  attemptKey: string
  received: string
  dueMs: number
  /** Of the phase in which it was sent. */
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

async function run({ port, tokens, times, seconds }: LoadPlan): Promise<LoadResult> {
  const load = new Load(port, tokens)
  const untilBusy = Math.min(seconds / 2, CAPACITY_SECONDS)
  // The first time only compiles the service's code.
  await load.closedLoop(untilBusy)
  const capacity = await load.closedLoop(untilBusy)
  const overload = await load.openLoop(capacity.perSecond * times, seconds)
  const afterwards = await load.openLoop(capacity.perSecond / 4, Math.min(seconds, AFTERWARDS_SECONDS))
  return { capacity, overload, afterwards }
}

class Load {
  readonly #port: number
  #tally = new Tally(0)
  readonly #free: Client[]
  #again: (client: Client) => void = () => {}

  constructor(port: number, tokens: readonly string[]) {
    this.#port = port
    this.#free = tokens.map((token) => ({
      socket: null,
      token,
      attemptKey: randomUUID(),
      received: '',
      dueMs: 0,
      tally: this.#tally,
    }))
  }

  /** As many requests as are answered, `BUSY` at a time. */
  async closedLoop(seconds: number): Promise<Outcome> {
    this.#tally = new Tally(seconds)
    const endMs = performance.now() + seconds * 1000
    let sent = 0
    const send = () => {
      // In turn, so that all tokens are used, and all connections are open after a while.
      const client = this.#free.shift()
      if (client === undefined) return
      sent++
      this.#send(client, performance.now())
    }
    const done = new Promise<void>((resolve) => {
      this.#again = (client) => {
        this.#free.push(client)
        if (performance.now() < endMs) send()
        else if (this.#tally.answers === sent) resolve()
      }
    })
    for (let i = 0; i < BUSY; i++) send()
    await Promise.race([done, wait(seconds * 1000 + GRACE_MS)])
    return this.#tally.outcome(sent, seconds)
  }

  /** So many a second, each at its time, whatever becomes of those before. */
  async openLoop(rate: number, seconds: number): Promise<Outcome> {
    this.#tally = new Tally(seconds)
    const total = Math.round(rate * seconds)
    const startedMs = performance.now()
    const lastMs = startedMs + seconds * 1000 + GRACE_MS
    let due = 0
    let sent = 0
    const sendWhatIsDue = () => {
      while (sent < due) {
        const client = this.#free.shift()
        if (client === undefined) return
        this.#send(client, startedMs + (sent++ * 1000) / rate)
      }
    }
    this.#again = (client) => {
      this.#free.push(client)
      sendWhatIsDue()
    }
    while (this.#tally.answers < total && performance.now() < lastMs) {
      due = Math.min(total, Math.ceil(((performance.now() - startedMs) * rate) / 1000))
      sendWhatIsDue()
      await wait(1)
    }
    // Nothing more of it is sent, whoever becomes free.
    due = sent
    return this.#tally.outcome(total, seconds)
  }

  #send(client: Client, dueMs: number): void {
    client.dueMs = dueMs
    client.tally = this.#tally
    client.socket ??= this.#connect(client)
    client.socket.write(
      `POST /auth/refresh_token HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\nRefresh-Token: ${client.token}\r\n` +
        `Idempotency-Key: ${client.attemptKey}\r\n\r\n`,
      'latin1',
    )
  }

  #connect(client: Client): Socket {
    const socket = connect(this.#port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => this.#read(client, chunk))
    // What it would have been answered is missing in the tally.
    socket.on('error', () => {})
    socket.on('close', () => {
      client.socket = null
    })
    return socket
  }

  #read(client: Client, chunk: string): void {
    client.received += chunk
    const headEnd = client.received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = client.received.slice(0, headEnd)
    const lengthAt = head.indexOf(LENGTH)
    const length = lengthAt < 0 ? 0 : Number.parseInt(head.slice(lengthAt + LENGTH.length), 10)
    if (client.received.length < headEnd + 4 + length) return
    if (head.startsWith('HTTP/1.1 200')) {
      // Not parsed as JSON: what this process is late with would count as the service's delay.
      const tokenAt = client.received.indexOf(TOKEN, headEnd)
      const endAt = client.received.indexOf('"', tokenAt + TOKEN.length)
      if (tokenAt > 0) client.token = client.received.slice(tokenAt + TOKEN.length, endAt)
      client.attemptKey = randomUUID()
    }
    client.received = ''
    client.tally.add(head, performance.now() - client.dueMs)
    this.#again(client)
  }
}

/** 0 if there are none. */
function p99(values: readonly number[]): number {
  return Float64Array.from(values).sort()[Math.floor(values.length * 0.99)] ?? 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const result = await run(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as LoadPlan)
  process.stdout.write(`${JSON.stringify(result)}\n`)
  process.exit(0)
}
