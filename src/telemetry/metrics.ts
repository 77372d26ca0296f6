/** Counters of this process: monotonic since it started, by name and labels. */
export interface Counters {
  add(name: string, labels: Readonly<Record<string, string>>, amount?: number): void
  read(): readonly CounterReading[]
}

export interface CounterReading {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Counters kept in memory; labels must be bounded (types, queues, outcomes; never ids). */
export function createCounters(): Counters {
  const readings = new Map<
    string,
    { name: string; labels: Readonly<Record<string, string>>; value: number }
  >()
  return {
    add(name, labels, amount = 1) {
      const key = `${name} ${JSON.stringify(labels)}`
      const reading = readings.get(key)
      if (reading) reading.value += amount
      else readings.set(key, { name, labels, value: amount })
    },
    read: () => [...readings.values()],
  }
}
