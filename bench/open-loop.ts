/**
 * Measures latency under a fixed rate of requests, whatever the server does: each request is due at a set time, and its
 * latency counts from then on, even if it had to wait for a free connection. So a stall shows in every request that was
 * due while it lasted; a generator that waits for answers first would hardly see it.
 *
 * Runs as a process of its own: `node open-loop.ts '[{"port":…,"rate":…},…]'` runs all plans at the same time and
 * prints one line of JSON with a result for each. Two processes on one core would wait for each other, which would add
 * to the latencies.
 *
 * What stalls this process would count as latency too. So the first seconds, in which its own code is compiled, do not
 * count, and a request leaves hardly any garbage: each connection has one buffer for its requests and one for answers.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { type Socket, connect } from 'node:net'
import { pathToFileURL } from 'node:url'

export interface OpenLoopPlan {
  readonly port: number
  readonly method: string
  readonly path: string
  /** The header of the token; empty to send the record as a JSON body. */
  readonly tokenHeader: string
  /** More headers, each ending in a line feed; a `%s` becomes a number of its own in each request. */
  readonly headers: string
  readonly file: string
  readonly recordSize: number
  /** Requests a second. */
  readonly rate: number
  /** How long latency is measured, after `WARM_UP_SECONDS` at the same rate. */
  readonly seconds: number
  readonly connections: number
}

export interface OpenLoopResult {
  /** Tokens taken from the tape, those of the warm-up among them. */
  readonly sent: number
  /** The number of answers by status, with those of the warm-up. */
  readonly statuses: Readonly<Record<string, number>>
  /** Requests without an answer: their connection broke, or they were still open at the end. */
  readonly unanswered: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

interface Connection {
  readonly socket: Socket
  readonly request: Buffer
  readonly answer: Buffer
  /** How many bytes of the answer have arrived. */
  received: number
  dueMs: number
}

export const WARM_UP_SECONDS = 2
/** How long to wait for answers after the last request was due. */
const GRACE_MS = 5000
const LARGEST_ANSWER = 16_384
const HEAD_END = Buffer.from('\r\n\r\n')
/** All sockets read into it, one after the other: what has arrived is copied before the next one reads. */
const arrived = Buffer.alloc(LARGEST_ANSWER)

async function run(plan: OpenLoopPlan): Promise<OpenLoopResult> {
  const total = Math.round(plan.rate * (plan.seconds + WARM_UP_SECONDS))
  const form = requestForm(plan)
  const latencies = new Float64Array(total)
  const statuses: Record<string, number> = {}
  const free: Connection[] = []
  const waiting: number[] = []
  let due = 0
  let sent = 0
  let answers = 0
  let counted = 0
  let broken = 0
  let countsFromMs = 0

  const send = (connection: Connection, dueMs: number) => {
    sent++
    connection.dueMs = dueMs
    form.fill(connection.request)
    connection.socket.write(connection.request)
  }
  const answered = (connection: Connection, status: number) => {
    answers++
    if (connection.dueMs >= countsFromMs) latencies[counted++] = performance.now() - connection.dueMs
    statuses[status] = (statuses[status] ?? 0) + 1
    const dueMs = waiting.shift()
    if (dueMs === undefined) free.push(connection)
    else send(connection, dueMs)
  }
  const opened = await Promise.all(
    Array.from({ length: plan.connections }, () => open(plan.port, form.empty(), answered, () => broken++)),
  )
  free.push(...opened)

  const startedMs = performance.now()
  countsFromMs = startedMs + WARM_UP_SECONDS * 1000
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const nowMs = performance.now()
      for (; due < total; due++) {
        const dueMs = startedMs + (due * 1000) / plan.rate
        if (dueMs > nowMs) break
        // Connections are used in turn, so that none is idle for so long that the server closes it.
        const connection = free.shift()
        if (connection === undefined) waiting.push(dueMs)
        else send(connection, dueMs)
      }
      const isOver = due === total && answers + broken >= total
      if (!isOver && nowMs < countsFromMs + plan.seconds * 1000 + GRACE_MS) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  for (const { socket } of opened) socket.destroy()
  return { sent, statuses, unanswered: total - answers, ...percentiles(latencies.subarray(0, counted)) }
}

function open(
  port: number,
  request: Buffer,
  answered: (connection: Connection, status: number) => void,
  broke: () => void,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const receive = (bytes: number) => {
      if (connection.received + bytes > LARGEST_ANSWER) throw new Error('an answer is too long')
      arrived.copy(connection.answer, connection.received, 0, bytes)
      connection.received += bytes
      const status = wholeAnswer(connection)
      if (status === null) return true
      connection.received = 0
      answered(connection, status)
      return true
    }
    const socket = connect({ port, host: '127.0.0.1', onread: { buffer: arrived, callback: receive } })
    const connection = { socket, request, answer: Buffer.alloc(LARGEST_ANSWER), received: 0, dueMs: 0 }
    socket.setNoDelay(true)
    socket.once('connect', () => resolve(connection))
    socket.once('error', reject)
    socket.on('close', broke)
  })
}

/** The status of an answer that has arrived completely; null while some of it is missing. */
function wholeAnswer({ answer, received }: Connection): number | null {
  const headEnd = answer.indexOf(HEAD_END)
  if (headEnd < 0 || headEnd + HEAD_END.length > received) return null
  const head = answer.toString('latin1', 0, headEnd)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error('an answer without Content-Length')
  const end = headEnd + HEAD_END.length + Number(length)
  if (received > end) throw new Error('more than one answer to a request')
  return received === end ? Number(head.slice(9, 12)) : null
}

interface RequestForm {
  /** A request whose number and record are still missing. */
  empty(): Buffer
  /** Puts the next number and the next record of the tape into a request. */
  fill(request: Buffer): void
}

function requestForm(plan: OpenLoopPlan): RequestForm {
  const numberSize = 13
  const number = '0'.repeat(numberSize)
  const start = `${plan.method} ${plan.path} HTTP/1.1\r\nHost: 127.0.0.1:${plan.port}\r\n${plan.headers.replaceAll('\n', '\r\n')}`
  const numberAt = start.indexOf('%s')
  const head = start.replace('%s', number)
  const [beforeRecord, afterRecord] =
    plan.tokenHeader === ''
      ? [`${head}Content-Type: application/json\r\nContent-Length: ${plan.recordSize}\r\n\r\n`, '']
      : [`${head}${plan.tokenHeader}: `, '\r\n\r\n']
  const form = Buffer.from(beforeRecord + ' '.repeat(plan.recordSize) + afterRecord, 'latin1')
  const nextRecord = records(plan)
  // Numbers of another run, against the same service, are different ones.
  let count = process.pid * 1e6
  return {
    empty: () => Buffer.from(form),
    fill(request) {
      if (numberAt >= 0) request.write(String(count++).padStart(numberSize, '0'), numberAt, 'latin1')
      nextRecord(request, beforeRecord.length)
    },
  }
}

/** Returns a function that copies the next record of the tape into a request. */
function records(plan: OpenLoopPlan): (request: Buffer, at: number) => void {
  const descriptor = openSync(plan.file, 'r')
  process.on('exit', () => closeSync(descriptor))
  const block = Buffer.alloc(plan.recordSize * 1000)
  let size = 0
  let from = 0
  return (request, at) => {
    if (from === size) {
      size = readSync(descriptor, block, 0, block.length, null)
      if (size === 0 || size % plan.recordSize > 0) throw new Error('the tape is at its end')
      from = 0
    }
    block.copy(request, at, from, from + plan.recordSize)
    from += plan.recordSize
  }
}

function percentiles(latencies: Float64Array): Pick<OpenLoopResult, 'p50Ms' | 'p99Ms' | 'p999Ms' | 'maxMs'> {
  const sorted = latencies.sort()
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
  return { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), maxMs: at(1) }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const plans = JSON.parse(process.argv[2] ?? '[]') as readonly OpenLoopPlan[]
  process.stdout.write(`${JSON.stringify(await Promise.all(plans.map(run)))}\n`)
  process.exit(0)
}
