/**
 * Tests whether the time of a refused sign-in reveals who is registered: 2,000 pairs of an unknown address and a known
 * one with a wrong password, in random order, over HTTP against a service of its own. The area under the ROC curve of a
 * classifier by time (Mann-Whitney) must be 0.5; 1 would mean that every single answer reveals it. As a control, a copy
 * without the decoy hash must be told apart by the same measurement, which otherwise would see nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { compose } from '../../src/compose.ts'
import type { AccountStatus } from '../../src/core/account.ts'
import { openStore } from '../../src/open-store.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { ROOT } from '../../test/support/copy-project.ts'
import { createRandom, freshSeed, givenSeed } from '../../test/support/random.ts'
import { AUTH_KEY, silentLog } from '../../test/support/service.ts'
import { MUTATIONS } from '../defects/all.ts'
import { copyCheckout, putIn } from '../defects/checkout.ts'

const PAIRS = Number(process.env['DUKTIG_PROVE_PAIRS'] ?? 2000)
const CONTROL_PAIRS = Math.min(PAIRS, 300)
const TOLERANCE = 0.03
const CONTROL_LEAST = 0.95
const ACCOUNTS = 240
/** The cost of the hashes that the original wrote. */
const BCRYPT_COST = 10
const BODY_CHARACTERS = 80

const seed = givenSeed() ?? freshSeed()
const random = createRandom(seed)
process.stdout.write(`${PAIRS} pairs each; seed ${seed}, DUKTIG_TEST_SEED repeats the order\n`)

type Hashes = 'argon2id' | 'mixed'
interface Person {
  readonly email: string
  readonly status: AccountStatus
}

interface Answered {
  readonly ms: number
  /** What a client sees of the answer: status, length, names of headers, and body. */
  readonly shape: string
}

/** Makes accounts in a fresh folder, a third with each status; of `mixed` hashes, every second one is bcrypt. */
async function prepare(folder: string, hashes: Hashes): Promise<readonly Person[]> {
  const settings = readSettings({ DUKTIG_DATA_DIR: folder })
  const { store } = await openStore(settings)
  const { deps, recorder } = await compose(settings, store, silentLog)
  const ours = await deps.passwords.hash('Correct-Horse-1')
  const theirs = await bcryptHash('Correct-Horse-1', { cost: BCRYPT_COST, version: '2y' })
  const people = Array.from({ length: ACCOUNTS }, (_, i) => ({
    email: emailOf('known', i),
    status: ([1, 2, 0] as const)[Math.floor(i / 2) % 3] as AccountStatus,
  }))
  const names = {
    firstName: 'Ani',
    lastName: 'Sarkis',
    phone: '37411223344',
    comment: null,
    roleId: 4 as const,
  }
  const dates = { registeredAtMs: null, updatedAtMs: null, lastSignInAtMs: null }
  const imported = await store.importAccounts(
    people.map((person, i) => ({
      ...names,
      ...dates,
      ...person,
      accountId: null,
      passwordHash: hashes === 'mixed' && i % 2 === 1 ? theirs : ours,
    })),
  )
  if (imported.kind !== 'imported') throw new Error('the accounts could not be made')
  await recorder.stop()
  await store.close()
  return people
}

/** Known and unknown addresses have the same length. */
function emailOf(kind: 'known' | 'nobody', number: number): string {
  return `${kind.padEnd(8, 'x')}-${String(number).padStart(6, '0')}@example.com`
}

/** Starts the service in a process of its own, so that the measuring does not disturb it. */
async function start(root: string, folder: string): Promise<{ base: string; child: ChildProcess }> {
  const env = {
    PATH: process.env['PATH'],
    DUKTIG_DATA_DIR: folder,
    DUKTIG_PORT: '0',
    DUKTIG_METRICS_PORT: '0',
    DUKTIG_AUTH_KEY: AUTH_KEY,
    DUKTIG_RATE_LIMITS: 'off',
    DUKTIG_LOG_LEVEL: 'silent',
  }
  const child = spawn(process.execPath, [join(root, 'src', 'main.ts'), 'serve'], { cwd: folder, env })
  child.stderr.pipe(process.stderr)
  const base = await new Promise<string>((resolve, reject) => {
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      const found = /listens on (\S+)/.exec(printed)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.once('exit', () => reject(new Error('the service did not start')))
  })
  return { base, child }
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

function signIn(base: string, email: string): Promise<Answered> {
  const body = JSON.stringify({ email, password: 'Wrong-Horse-1' }).padEnd(BODY_CHARACTERS)
  const headers = {
    'X-Auth-Key': AUTH_KEY,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const startedMs = performance.now()
    const outgoing = request(`${base}/auth/token`, { method: 'POST', agent, headers }, (incoming) => {
      const ms = performance.now() - startedMs
      let text = ''
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      incoming.on('end', () => {
        const names = incoming.rawHeaders.filter((_, i) => i % 2 === 0).join()
        const length = String(incoming.headers['content-length'])
        resolve({ ms, shape: `${incoming.statusCode} ${length} bytes ${names} ${text}` })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Times of unknown and of known addresses, asked for in pairs in random order. */
async function measure(base: string, people: readonly Person[], pairs: number) {
  const [unknown, known]: [number[], number[]] = [[], []]
  const shapes = new Set<string>()
  for (let i = -20; i < pairs; i++) {
    const nobody = emailOf('nobody', i + 20)
    // Taken in turn, so that every kind of account comes equally often.
    const somebody = (people[(i + 20) % people.length] as Person).email
    const order = random.chance(0.5) ? ([nobody, somebody] as const) : ([somebody, nobody] as const)
    for (const email of order) {
      const { ms, shape } = await signIn(base, email)
      // The first pairs only warm up.
      if (i < 0) continue
      ;(email === nobody ? unknown : known).push(ms)
      shapes.add(shape)
    }
  }
  return { unknown, known, shapes }
}

/** How often a known address takes longer than an unknown one, ties counting half. */
function auc(unknown: readonly number[], known: readonly number[]): number {
  const all = [...unknown.map((ms) => ({ ms, of: 0 })), ...known.map((ms) => ({ ms, of: 1 }))]
  all.sort((a, b) => a.ms - b.ms)
  let ranks = 0
  for (let i = 0; i < all.length; ) {
    let j = i
    while (j < all.length && all[j]?.ms === all[i]?.ms) j++
    for (let k = i; k < j; k++) if (all[k]?.of === 1) ranks += (i + j + 1) / 2
    i = j
  }
  return (ranks - (known.length * (known.length + 1)) / 2) / (known.length * unknown.length)
}

function median(values: readonly number[]): string {
  return (values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0).toFixed(1)
}

/** Makes and prints one measurement; returns whether it came out as it should. */
async function row(
  name: string,
  root: string,
  hashes: Hashes,
  chosen: (person: Person) => boolean,
  expected: (value: number) => boolean,
  pairs = PAIRS,
): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-enumeration-'))
  const people = await prepare(folder, hashes)
  const { base, child } = await start(root, folder)
  try {
    const { unknown, known, shapes } = await measure(base, people.filter(chosen), pairs)
    const value = auc(unknown, known)
    const good = expected(value) && shapes.size === 1
    const figures = `AUC ${value.toFixed(3)}, medians ${median(unknown)} and ${median(known)} ms`
    process.stdout.write(
      `${good ? 'ok    ' : 'FAILED'} ${name}: ${figures}, ${shapes.size} kind(s) of answer\n`,
    )
    if (shapes.size > 1) process.stdout.write(`${[...shapes].join('\n')}\n`)
    return good
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function control(): Promise<boolean> {
  const defect = MUTATIONS.find(({ sentence }) => sentence === 'for an unknown address no hash is checked')
  if (defect === undefined) throw new Error('the control has no defect to put in')
  const copy = copyCheckout()
  try {
    const put = putIn(copy, defect)
    if (typeof put === 'string') throw new Error(put)
    const name = 'control: a build without the decoy hash'
    return await row(name, copy, 'argon2id', isActive, (value) => value > CONTROL_LEAST, CONTROL_PAIRS)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const isActive = ({ status }: Person) => status === 1
const even = (value: number) => Math.abs(value - 0.5) <= TOLERANCE
const results = [
  await row('unknown or a wrong password', ROOT, 'argon2id', isActive, even),
  await row('unknown or suspended or not verified', ROOT, 'argon2id', (person) => !isActive(person), even),
  await row('unknown or known, bcrypt and argon2id side by side', ROOT, 'mixed', () => true, even),
  await control(),
]
agent.destroy()
process.exitCode = results.every(Boolean) ? 0 : 1
