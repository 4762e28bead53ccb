/** Endless plays in a finite graph: what can happen again and again lies on a cycle, inside one component. */
import type { Graph } from './explore.ts'

/**
 * A state from which a play can do all the `wanted` things again and again, for ever; null if there is none.
 * Moves with a `barred` bit do not count.
 */
export function endlessPlay(graph: Graph, states: number, wanted: number, barred = 0): number | null {
  const component = components(outgoing(graph, states, barred))
  const seen = new Map<number, number>()
  for (const [move, bits] of graph.bits.entries()) {
    const from = graph.from[move] as number
    const at = component[from] as number
    if ((bits & barred) !== 0 || at !== component[graph.to[move] as number]) continue
    const all = (seen.get(at) ?? 0) | bits
    if ((all & wanted) === wanted) return from
    seen.set(at, all)
  }
  return null
}

/** The states that each state's moves lead to, without barred moves. */
function outgoing(graph: Graph, states: number, barred: number): readonly (readonly number[])[] {
  const targets: number[][] = Array.from({ length: states }, () => [])
  for (const [move, from] of graph.from.entries()) {
    if (((graph.bits[move] as number) & barred) === 0) targets[from]?.push(graph.to[move] as number)
  }
  return targets
}

/** Tarjan's strongly connected components, with its own stack: the graphs are deeper than the call stack. */
function components(targets: readonly (readonly number[])[]): Int32Array {
  const component = new Int32Array(targets.length).fill(-1)
  const order = new Int32Array(targets.length).fill(-1)
  const low = new Int32Array(targets.length)
  const open: number[] = []
  const path: { readonly at: number; cursor: number }[] = []
  let clock = 0
  const lower = (at: number, to: number) => {
    low[at] = Math.min(low[at] as number, to)
  }
  const enter = (at: number) => {
    order[at] = low[at] = clock++
    open.push(at)
    path.push({ at, cursor: 0 })
  }
  for (let root = 0; root < targets.length; root++) {
    if (order[root] === -1) enter(root)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { at } = top
      const to = targets[at]?.[top.cursor++]
      if (to !== undefined) {
        if (order[to] === -1) enter(to)
        else if (component[to] === -1) lower(at, order[to] as number)
        continue
      }
      path.pop()
      const above = path.at(-1)
      if (above !== undefined) lower(above.at, low[at] as number)
      if (low[at] !== order[at]) continue
      for (let member = -1; member !== at; component[member] = at) member = open.pop() as number
    }
  }
  return component
}
