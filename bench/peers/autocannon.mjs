// The load of closed-loop.ts where wrk is missing: node autocannon.mjs '{"port":…}' prints the same result line.
import { fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import autocannon from 'autocannon'

const plan = JSON.parse(process.argv[2])
const descriptor = openSync(plan.file)
const records = fstatSync(descriptor).size / plan.recordSize
/** A tape may be longer than a string can be: it is read block by block. */
const recordsPerBlock = Math.max(1, Math.floor(2 ** 20 / plan.recordSize))
const block = Buffer.alloc(recordsPerBlock * plan.recordSize)
let blockAt = -1
const headers = Object.fromEntries(
  plan.headers
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(': ')),
)
const chain = plan.chainBody === null ? null : readFileSync(plan.file, 'latin1').trim().split('\n')
let sent = 0

function recordOf(number) {
  const first = number - (number % recordsPerBlock)
  if (first !== blockAt) readSync(descriptor, block, 0, block.length, first * plan.recordSize)
  blockAt = first
  const at = (number - first) * plan.recordSize
  return block.latin1Slice(at, at + plan.recordSize)
}

function setupRequest(request) {
  const unique = `${process.pid}-${sent}`
  const own = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replace('%s', unique)]),
  )
  const record = recordOf(sent++ % records)
  if (chain !== null) {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    return { ...request, headers: form, body: plan.chainBody + (chain.pop() ?? 'none-left') }
  }
  if (plan.tokenHeader !== '') return { ...request, headers: { ...own, [plan.tokenHeader]: record } }
  return { ...request, headers: { ...own, 'Content-Type': 'application/json' }, body: record }
}

function onResponse(_status, body) {
  const token = /"refresh_token":"([^"]+)"/.exec(body)?.[1]
  if (token !== undefined) chain?.push(token)
}

const result = await autocannon({
  url: `http://127.0.0.1:${plan.port}`,
  connections: plan.connections,
  duration: plan.seconds,
  requests: [
    { method: plan.method, path: plan.path, setupRequest, ...(chain === null ? {} : { onResponse }) },
  ],
})
const { latency } = result
const answer = {
  requests: result['2xx'] + result.non2xx,
  sent,
  seconds: result.duration,
  refused: result.non2xx,
  broken: result.errors,
  p50Ms: latency.p50,
  p99Ms: latency.p99,
  maxMs: latency.max,
}
process.stdout.write(`RESULT ${JSON.stringify(answer)}\n`)
