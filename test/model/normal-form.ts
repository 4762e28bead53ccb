/**
 * Which worlds are the same: generations and keys are renamed, and one representative stands for all that are alike.
 */
import {
  type Client,
  FIRST_KEY,
  type Phase,
  type Row,
  type Size,
  THIEF_KEYS,
  type Token,
  type World,
} from './world.ts'

/** A key that nobody has used: the highest name in use plus one. */
export function freshKey(world: World): number {
  let highest = FIRST_KEY
  mapKeys(world, (key) => {
    if (key > highest) highest = key
    return key
  })
  return highest + 1
}

/** The world with every generation and key renamed; only this function knows where a world holds them. */
function rename(world: World, g: (g: number) => number, key: (key: number) => number): World {
  const token = (t: Token): Token => ({ g: g(t.g), line: t.line, key: key(t.key) })
  const maybe = (t: Token | null) => (t === null ? null : token(t))
  const row = <R extends Row>(r: R): R => ({ ...r, key: key(r.key), sentKey: key(r.sentKey) })
  const renamedRow = row(world.row)
  const backup = world.backup === null ? null : { ...row(world.backup), g: g(world.backup.g) }
  const storage = token(world.storage)
  const duplicate = world.duplicate && { ...world.duplicate, token: token(world.duplicate.token) }
  const loot = world.loot.map(token)
  const clients = world.clients.map((c) =>
    c.own === null && c.sent === null && c.answer === null && c.plan === null
      ? c
      : {
          ...c,
          own: maybe(c.own),
          sent: maybe(c.sent),
          answer: maybe(c.answer),
          plan: c.plan && { ...c.plan, base: g(c.plan.base), to: g(c.plan.to), key: key(c.plan.key) },
        },
  )
  return { ...world, row: renamedRow, backup, storage, duplicate, loot, clients }
}

const same = (n: number) => n

function mapKeys(world: World, key: (key: number) => number): World {
  return rename(world, same, key)
}

/** Makes generation `by` the origin; called whenever the row or the backup has moved. */
export function shift(world: World, by: number): World {
  return narrow(by === 0 ? world : rename(world, (g) => g - by, same))
}

/**
 * One representative of all worlds that differ only in the names of keys and in the order of tabs and loot.
 */
export function normalize(world: World, size: Size): World {
  const thief = size.lootSize !== undefined
  const sorted = size.tabs > 1 ? { ...world, clients: sortClients(world.clients) } : world
  const named = thief || size.keys !== 'none' ? mapKeys(sorted, namesInOrder()) : sorted
  return thief && named.loot.length > 1 ? { ...named, loot: sortLoot(named.loot) } : named
}

/** The thief's own keys are interchangeable among themselves: he always knows both. */
function namesInOrder(): (key: number) => number {
  const names: number[] = []
  let nextOfThief: number = THIEF_KEYS[0]
  let next = FIRST_KEY
  return (key) => {
    if (key === 0) return 0
    return (names[key] ??= key < FIRST_KEY ? nextOfThief++ : next++)
  }
}

/**
 * The distance between two generations matters only until a client has caught up, so a gap of more than three becomes
 * three. Tokens more than one generation behind both the row and the backup are all treated alike, so they become one.
 */
function narrow(world: World): World {
  const floor = Math.min(0, world.backup?.g ?? 0) - 2
  const used = [floor, 0]
  const look = (g: number) => {
    used.push(g)
    return g
  }
  rename(world, look, same)
  if (Math.min(...used) === floor && Math.max(...used) - floor <= 3) return world
  const sorted = used.map((g) => Math.max(g, floor)).sort((a, b) => a - b)
  const image = new Map<number, number>()
  let last = 0
  for (const [at, g] of sorted.entries()) {
    last += Math.min(g - (sorted[at - 1] ?? g), 3)
    image.set(g, last)
  }
  const origin = image.get(0) as number
  return rename(world, (g) => (image.get(Math.max(g, floor)) as number) - origin, same)
}

function sortClients(clients: readonly Client[]): readonly Client[] {
  const tabs = clients.filter((c) => c.role === 'tab')
  const keyed = tabs.map((tab) => ({ tab, code: String.fromCharCode(...clientCode(tab)) }))
  keyed.sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0))
  return [...keyed.map((k) => k.tab), ...clients.filter((c) => c.role !== 'tab')]
}

/** The order in which the thief took his tokens does not matter. */
function sortLoot(loot: readonly Token[]): readonly Token[] {
  return [...loot].sort((a, b) => a.g - b.g || a.line - b.line || a.key - b.key)
}

const PHASES: readonly Phase[] = ['idle', 'sent', 'decided', 'reply', 'lost']
const PLANS = ['advance', 'repeat', 'end']

/** 0 for none; above 0 for every token of a normalized world. */
function tokenCode(token: Token | null): number {
  return token === null ? 0 : ((token.g + 40) * 4 + token.line) * 16 + token.key + 1
}

function clientCode(client: Client): number[] {
  const { plan } = client
  const phase = PHASES.indexOf(client.phase) * 4 + (plan === null ? 3 : PLANS.indexOf(plan.kind))
  const codes = [phase, client.age * 64 + client.since, tokenCode(client.sent), tokenCode(client.answer)]
  codes.push(tokenCode(client.own))
  if (plan !== null) codes.push(plan.base + 40, plan.to + 40, plan.key * 8 + plan.repeats)
  return codes
}

function rowCode(row: Row): number[] {
  return [
    row.rotAge * 64 + row.handAge,
    row.key * 16 + row.sentKey,
    row.repeats * 16 + row.line * 4 + Number(row.ended),
  ]
}

/** The name of a normalized world: two worlds with one name are the same world. */
export function nameOf(world: World): string {
  const { suspended, disabled, expired, acknowledged } = world
  const flags = [suspended, disabled, expired, acknowledged].reduce((sum, flag) => sum * 2 + Number(flag), 0)
  const codes = [flags * 4 + world.line, world.restoresLeft * 16 + world.copiesLeft, tokenCode(world.storage)]
  codes.push(...rowCode(world.row))
  const { backup, duplicate } = world
  codes.push(backup === null ? 0 : backup.g + 40 + Number(backup.suspended) * 100)
  if (backup !== null) codes.push(...rowCode(backup))
  codes.push(duplicate === null ? 0 : duplicate.age + 1)
  if (duplicate !== null) codes.push(tokenCode(duplicate.token))
  for (const client of world.clients) codes.push(...clientCode(client))
  codes.push(...world.loot.map(tokenCode))
  return String.fromCharCode(...codes)
}
