/** How it is proven that what a connection wrote is durable: a command behind the write, and its answer. */
export interface Proof {
  /** The command, sent on the connection that wrote; it answers within `ms`. */
  command(ms: number): readonly [name: string, ...args: (string | number)[]]
  /** What the answer leaves to be wished for, as a clause; undefined where it is proof. */
  lacks(answer: unknown, ms: number): string | undefined
}

/** WAIT: so many replicas have taken in what the connection wrote. */
export const byReplicas = (replicas: number): Proof => ({
  command: (ms) => ['WAIT', replicas, ms],
  lacks: (answer, ms) =>
    Number(answer) >= replicas
      ? undefined
      : `${Number(answer)} of ${replicas} replicas said within ${ms} ms that they have it`,
})

/** WAITAOF: the server's append-only file is on disk as far as the connection wrote. */
export const byWaitAof: Proof = {
  command: (ms) => ['WAITAOF', 1, 0, ms],
  lacks: (answer, ms) =>
    Array.isArray(answer) && Number(answer[0]) >= 1
      ? undefined
      : `its append-only file was not on disk within ${ms} ms`,
}

/** The settings of the append-only file, as CONFIG GET answers them. */
export interface FileSettings {
  readonly appendonly: string | undefined
  readonly appendfsync: string | undefined
  /** `no-appendfsync-on-rewrite`: not synced at all while the file is written anew. */
  readonly unsyncedOnRewrite: boolean
}

/** Works on every version: older ones take one pattern alone. */
export const askFileSettings = ['CONFIG', 'GET', '*append*'] as const

/** Reads what {@link askFileSettings} is answered. */
export function readFileSettings(answer: unknown): FileSettings {
  const flat = Array.isArray(answer) ? answer.map(String) : []
  const valueAt = (name: string) => {
    const at = flat.findIndex((word, i) => i % 2 === 0 && word === name)
    return at === -1 ? undefined : flat[at + 1]
  }
  return {
    appendonly: valueAt('appendonly'),
    appendfsync: valueAt('appendfsync'),
    unsyncedOnRewrite: valueAt('no-appendfsync-on-rewrite') === 'yes',
  }
}

/**
 * A server that syncs its file before it answers anything proves it by its answer. Whether it is one
 * is asked behind each write, since a failover may lead to another, and a setting may be changed.
 */
export const byAnswer: Proof = {
  command: () => askFileSettings,
  lacks: (answer) => {
    const { appendonly, appendfsync, unsyncedOnRewrite } = readFileSettings(answer)
    if (appendonly === 'yes' && appendfsync === 'always' && !unsyncedOnRewrite) return undefined
    const onRewrite = unsyncedOnRewrite ? ', no-appendfsync-on-rewrite yes' : ''
    return `its append-only file is not synced before it answers (appendonly ${appendonly}, appendfsync ${appendfsync}${onRewrite})`
  },
}
