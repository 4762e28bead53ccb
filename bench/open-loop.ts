/**
 * Measures latency under a fixed rate of requests, whatever the server does: each request is due at a set time, and its
 * latency counts from then on, even if it had to wait for a free connection. So a stall shows in every request that was
 * due while it lasted; a generator that waits for answers first would hardly see it.
 *
 * Runs as a process of its own: `node open-loop.ts '[{"port":…,"rate":…},…]'` runs all plans at the same time and
 * prints one line of JSON with a result for each. Two processes on one core would wait for each other, which would add
 * to the latencies.
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
  readonly seconds: number
  readonly connections: number
}

export interface OpenLoopResult {
  /** Tokens taken from the tape. */
  readonly sent: number
  /** The number of answers by status. */
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
  dueMs: number
  received: string
}

/** How long to wait for answers after the last request was due. */
const GRACE_MS = 5000
const HEAD_END = '\r\n\r\n'

async function run(plan: OpenLoopPlan): Promise<OpenLoopResult> {
  const total = Math.round(plan.rate * plan.seconds)
  const nextRequest = requests(plan)
  const latencies: number[] = []
  const statuses: Record<string, number> = {}
  const free: Connection[] = []
  const waiting: number[] = []
  let due = 0
  let sent = 0
  let broken = 0

  const send = (connection: Connection, dueMs: number) => {
    sent++
    connection.dueMs = dueMs
    connection.socket.write(nextRequest(), 'latin1')
  }
  const answered = (connection: Connection, status: string) => {
    latencies.push(performance.now() - connection.dueMs)
    statuses[status] = (statuses[status] ?? 0) + 1
    const dueMs = waiting.shift()
    if (dueMs === undefined) free.push(connection)
    else send(connection, dueMs)
  }
  const opened = await Promise.all(
    Array.from({ length: plan.connections }, () => open(plan.port, answered, () => broken++)),
  )
  free.push(...opened)

  const startedMs = performance.now()
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
      const isOver = due === total && latencies.length + broken >= total
      if (!isOver && nowMs < startedMs + plan.seconds * 1000 + GRACE_MS) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  for (const { socket } of opened) socket.destroy()
  return { sent, statuses, unanswered: total - latencies.length, ...percentiles(latencies) }
}

function open(
  port: number,
  answered: (connection: Connection, status: string) => void,
  broke: () => void,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const connection: Connection = { socket, dueMs: 0, received: '' }
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.once('connect', () => resolve(connection))
    socket.once('error', reject)
    socket.on('close', broke)
    socket.on('data', (chunk: string) => {
      connection.received += chunk
      const status = wholeAnswer(connection.received)
      if (status === null) return
      connection.received = ''
      answered(connection, status)
    })
  })
}

/** The status of an answer that has arrived completely; null while some of it is missing. */
function wholeAnswer(text: string): string | null {
  const headEnd = text.indexOf(HEAD_END)
  if (headEnd < 0) return null
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd))?.[1]
  if (length === undefined) throw new Error('an answer without Content-Length')
  return text.length >= headEnd + HEAD_END.length + Number(length) ? text.slice(9, 12) : null
}

/** Returns a function that makes the requests, each with the next record of the tape. */
function requests(plan: OpenLoopPlan): () => string {
  const descriptor = openSync(plan.file, 'r')
  process.on('exit', () => closeSync(descriptor))
  const block = Buffer.alloc(plan.recordSize * 1000)
  let records = ''
  let at = 0
  let count = 0
  const start = `${plan.method} ${plan.path} HTTP/1.1\r\nHost: 127.0.0.1:${plan.port}\r\n${plan.headers.replaceAll('\n', '\r\n')}`
  const numbered = start.includes('%s')
  return () => {
    if (at === records.length) {
      const size = readSync(descriptor, block, 0, block.length, null)
      if (size === 0) throw new Error('the tape is at its end')
      records = block.toString('latin1', 0, size)
      at = 0
    }
    const record = records.slice(at, at + plan.recordSize)
    at += plan.recordSize
    const head = numbered ? start.replace('%s', `${process.pid}-${count++}`) : start
    if (plan.tokenHeader !== '') return `${head}${plan.tokenHeader}: ${record}\r\n\r\n`
    return `${head}Content-Type: application/json\r\nContent-Length: ${record.length}\r\n\r\n${record}`
  }
}

function percentiles(latencies: number[]): Pick<OpenLoopResult, 'p50Ms' | 'p99Ms' | 'p999Ms' | 'maxMs'> {
  const sorted = Float64Array.from(latencies).sort()
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
  return { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), maxMs: at(1) }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const plans = JSON.parse(process.argv[2] ?? '[]') as readonly OpenLoopPlan[]
  process.stdout.write(`${JSON.stringify(await Promise.all(plans.map(run)))}\n`)
  process.exit(0)
}
