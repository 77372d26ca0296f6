/**
 * Every check of `redisdistro doctor`, in the order of its report: why it matters, and when what it
 * finds loses tasks. docs/cli.md is written from this table.
 */
export const checks = {
  config: {
    why: 'Nothing starts by a config, environment or plugin that cannot be used.',
    danger: 'it cannot be used',
  },
  store: {
    why: 'Every task lies in the store: what it is decides what survives, and who shares it.',
    danger: 'it is away, refuses, is refused, or keeps nothing',
  },
  version: {
    why: 'The scripts need Redis 6.2; from 7 on a full server can be drained without exception.',
    danger: 'it is older than 6.2',
  },
  role: {
    why: 'A replica takes no tasks, and a server that still loads its data none yet.',
    danger: 'it is a replica',
  },
  persistence: {
    why: 'What is not on disk is gone when the server restarts, whoever was told that it is enqueued.',
    danger: 'nothing is kept on disk, or the last write to it failed',
  },
  eviction: {
    why: 'A Redis that evicts throws tasks away when its memory is full; one that does not refuses new ones.',
    danger: 'any key may be evicted',
  },
  memory: {
    why: 'A full Redis refuses new tasks; one without a limit may be killed by the system instead.',
  },
  retention: {
    why: 'Ended tasks are kept within the retention, and take memory until then.',
  },
  disk: {
    why: 'What cannot be written to the disk is not kept.',
  },
  replicas: {
    why: 'A replica has the tasks where the master is lost, and is what a failover goes to.',
  },
  cluster: {
    why: 'A queue whose slot nobody serves stands still.',
    danger: 'slots are not served, or a node of a cluster is named as a single Redis',
  },
  sentinel: {
    why: 'Without a quorum of sentinels a dead master is not replaced.',
    danger: 'none answers',
  },
  durability: {
    why: 'An enqueue is acknowledged only when it is as durable as the config asks.',
    danger: 'the server cannot prove it',
  },
  rights: {
    why: 'A command that the user may not run stops what needs it, perhaps long after the start.',
    danger: 'one is missing',
  },
  clock: {
    why: "Tasks go by Redis's clock alone, so that leases, retries and due times hold; yet '8am' is 8am by that clock, and logs and traces go by this machine's.",
  },
  latency: {
    why: 'Each batch costs a round trip; slow ones take from throughput, and very slow ones end in timeouts.',
  },
  queues: {
    why: 'Tasks of a queue that no worker runs, or that is paused, wait.',
  },
  partitions: {
    why: 'Tasks under a former number of partitions are worked until they are gone; a queue that left the config is not.',
  },
  plugin: {
    why: 'A plugin that cannot be loaded or set up stops the start; what it needs outside is looked at by its own check, and its setup is not run.',
    danger: 'its check says that it will not start',
  },
  telemetry: {
    why: 'Where the endpoint of OpenTelemetry does not answer, traces are lost; tasks are not.',
  },
} as const satisfies Record<string, { readonly why: string; readonly danger?: string }>

export type CheckName = keyof typeof checks

/** `danger`: tasks may be lost, or none can be taken. */
export type Verdict = 'ok' | 'note' | 'warning' | 'danger'

/** What one check found. */
export interface Finding {
  readonly check: CheckName
  readonly verdict: Verdict
  readonly found: string
  readonly why: string
  /** What to do about it; where there is nothing, it is left out. */
  readonly do?: string
}

export function finding(
  check: CheckName,
  verdict: Verdict,
  { found, todo }: { readonly found: string; readonly todo?: string | undefined },
): Finding {
  const { why } = checks[check]
  return { check, verdict, found, why, ...(todo === undefined ? {} : { do: todo }) }
}

/** A number of things: `1 task`, `2 tasks`. */
export const several = (count: number, thing: string): string =>
  `${count} ${thing}${count === 1 ? '' : 's'}`

export const wordsOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
