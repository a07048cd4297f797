/** Upper bounds of the duration histogram, in seconds. */
const BUCKETS = [0.005, 0.025, 0.1, 0.5, 2.5, 10]

/** Counts requests for Prometheus. */
export class RequestMetrics {
  readonly #counts = new Map<string, number>()
  readonly #buckets = BUCKETS.map(() => 0)
  #sum = 0
  #total = 0

  count(method: string, status: number, durationMs: number): void {
    const key = `method="${method}",code="${status}"`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    const seconds = durationMs / 1000
    BUCKETS.forEach((bound, index) => {
      if (seconds <= bound) this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
    })
    this.#sum += seconds
    this.#total += 1
  }

  /** The counts in Prometheus' text form, names as JupyterHub's where it has them. */
  render(gauges: Readonly<Record<string, number>>): string {
    const lines: string[] = []
    for (const [name, value] of Object.entries(gauges)) lines.push(`# TYPE ${name} gauge`, `${name} ${value}`)
    lines.push('# TYPE jupyterhub_http_requests_total counter')
    for (const [labels, value] of this.#counts) lines.push(`jupyterhub_http_requests_total{${labels}} ${value}`)
    lines.push('# TYPE jupyterhub_request_duration_seconds histogram')
    BUCKETS.forEach((bound, index) => {
      lines.push(`jupyterhub_request_duration_seconds_bucket{le="${bound}"} ${this.#buckets[index]}`)
    })
    lines.push(
      `jupyterhub_request_duration_seconds_bucket{le="+Inf"} ${this.#total}`,
      `jupyterhub_request_duration_seconds_sum ${this.#sum}`,
      `jupyterhub_request_duration_seconds_count ${this.#total}`,
    )
    return `${lines.join('\n')}\n`
  }
}
