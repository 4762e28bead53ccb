/** The durations of requests: a histogram for Prometheus, by route and status. */

const NAME = 'duktig_http_request_duration_seconds'
/** Upper bounds of the buckets, in seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

interface Value {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

class Series {
  /** One for each bound, and one for longer requests. */
  readonly #buckets = new Float64Array(BOUNDS.length + 1)
  #sumSeconds = 0

  add(durationMs: number): void {
    const seconds = durationMs / 1000
    let bucket = 0
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] as number)) bucket++
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1
    this.#sumSeconds += seconds
  }

  /** Each bucket includes the buckets before it, as Prometheus expects. */
  values(labels: Readonly<Record<string, string | number>>): Value[] {
    let count = 0
    const buckets = [...BOUNDS, '+Inf'].map((le, bucket) => {
      count += this.#buckets[bucket] as number
      return { metricName: `${NAME}_bucket`, labels: { le, ...labels }, value: count }
    })
    return [
      ...buckets,
      { metricName: `${NAME}_sum`, labels, value: this.#sumSeconds },
      { metricName: `${NAME}_count`, labels, value: count },
    ]
  }
}

/**
 * A metric for the registry of prom-client. The library's own histogram finds a series by a string of its labels, which
 * took a twentieth of `GET /user` (docs/decisions/dependencies.md).
 */
export class Durations {
  readonly name = NAME
  readonly #series = new Map<string, Map<number, Series>>()

  observe(route: string, status: number, durationMs: number): void {
    const series = this.#series.get(route)?.get(status) ?? this.#begin(route, status)
    series.add(durationMs)
  }

  async get(): Promise<object> {
    const values = [...this.#series].flatMap(([route, byStatus]) =>
      [...byStatus].flatMap(([status, series]) => series.values({ route, status })),
    )
    return { name: NAME, help: 'Time from the routed request to its answer.', type: 'histogram', values }
  }

  #begin(route: string, status: number): Series {
    const series = new Series()
    const ofRoute = this.#series.get(route) ?? new Map<number, Series>()
    this.#series.set(route, ofRoute.set(status, series))
    return series
  }
}
