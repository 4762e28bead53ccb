/** Breadth-first exploration of all reachable worlds: the first violation found has a shortest trace. */
import { movesOf } from './moves.ts'
import { nameOf, normalize } from './normal-form.ts'
import { REAL_RULES, type Rules } from './rules.ts'
import type { Move } from './scene.ts'
import { brokenByStranger } from './server.ts'
import { firstWorld, type Size, type World } from './world.ts'

export interface Exploration {
  readonly states: number
  readonly moves: number
  readonly depth: number
  readonly violation: { readonly broken: string; readonly trace: readonly string[] } | null
  /** Every move as from, to and the bits that `bitsOf` gives it; empty without `bitsOf`. */
  readonly graph: Graph
}

export interface Graph {
  readonly from: number[]
  readonly to: number[]
  readonly bits: number[]
}

export interface Options {
  readonly rules?: Rules
  readonly bitsOf?: (move: Move) => number
  /** Something to look for in every world; what it returns is reported like a violation. */
  readonly lookFor?: (world: World) => string | null
}

export function explore(size: Size, options: Options = {}): Exploration {
  const rules = options.rules ?? REAL_RULES
  const numbers = new Map<string, number>()
  const parents: number[] = []
  const labels: string[] = []
  const graph: Graph = { from: [], to: [], bits: [] }
  let moveCount = 0
  let depth = 0
  let next: { world: World; number: number }[] = []
  const visit = (world: World, parent: number, label: string): number => {
    const normal = normalize(world, size)
    const name = nameOf(normal)
    const known = numbers.get(name)
    if (known !== undefined) return known
    const number = parents.length
    numbers.set(name, number)
    parents.push(parent)
    labels.push(label)
    next.push({ world: normal, number })
    return number
  }
  const result = (violation: Exploration['violation']): Exploration => {
    return { states: parents.length, moves: moveCount, depth, violation, graph }
  }
  visit(firstWorld(size), -1, 'start')
  while (next.length > 0) {
    const layer = next
    next = []
    for (const { world, number } of layer) {
      const found = brokenByStranger(world, rules, size) ?? options.lookFor?.(world) ?? null
      if (found !== null) return result({ broken: found, trace: traceTo(number, parents, labels) })
      for (const move of movesOf(world, rules, size)) {
        moveCount++
        if (move.violation !== null) {
          const trace = [...traceTo(number, parents, labels), move.label]
          return result({ broken: move.violation, trace })
        }
        const to = visit(move.next, number, move.label)
        if (options.bitsOf === undefined) continue
        graph.from.push(number)
        graph.to.push(to)
        graph.bits.push(options.bitsOf(move))
      }
    }
    depth++
  }
  return result(null)
}

function traceTo(number: number, parents: readonly number[], labels: readonly string[]): string[] {
  const trace: string[] = []
  for (let at = number; at > 0; at = parents[at] as number) trace.push(labels[at] as string)
  return trace.reverse()
}

/** The last steps of a trace as text; ticks in a row are counted. */
export function told(trace: readonly string[], last = 14): string {
  if (trace.length === 0) return 'at once'
  const steps: { label: string; times: number }[] = []
  for (const label of trace) {
    const before = steps.at(-1)
    if (before?.label === label && label === 'a tick') before.times++
    else steps.push({ label, times: 1 })
  }
  const shown = steps.slice(-last).map((s) => (s.times === 1 ? s.label : `${s.times} ticks`))
  return (steps.length > last ? '... -> ' : '') + shown.join(' -> ')
}
