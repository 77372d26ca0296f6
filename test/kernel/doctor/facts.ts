import type { ServerFacts } from '../../../src/broker/diagnosis/facts.js'
import { fieldsOf } from '../../../src/broker/diagnosis/server-facts.js'
import { readServer } from '../../../src/broker/server.js'
import type { Finding } from '../../../src/kernel/doctor/checks.js'

/** A healthy server: what INFO says of it. */
const healthy = {
  redis_version: '7.4.1',
  used_memory: '1048576',
  total_system_memory: '8589934592',
  maxmemory: '1073741824',
  maxmemory_policy: 'noeviction',
  loading: '0',
  rdb_changes_since_last_save: '7',
  rdb_last_save_time: '1000',
  rdb_last_bgsave_status: 'ok',
  aof_enabled: '1',
  aof_last_bgrewrite_status: 'ok',
  aof_last_write_status: 'ok',
  role: 'master',
  master_repl_offset: '100',
  cluster_enabled: '0',
}

export interface Changed extends Partial<Omit<ServerFacts, 'info'>> {
  /** Fields of INFO in place of the healthy ones. */
  readonly info?: Readonly<Record<string, string>>
}

/** The facts of a healthy server but for what is changed. */
export function factsOf({ info, ...changed }: Changed = {}): ServerFacts {
  const report = Object.entries({ ...healthy, ...info })
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('')
  return {
    says: 'here:6379',
    info: fieldsOf(report),
    server: readServer(report),
    settings: { appendfsync: 'everysec', save: '3600 1 300 100' },
    time: 1_060_000,
    ahead: 3,
    pings: Array.from({ length: 50 }, () => 0.2),
    scripts: Array.from({ length: 50 }, () => 0.3),
    rights: { user: 'default', refused: [], noKeys: false },
    durability: undefined,
    ...changed,
  }
}

/** A finding in one line: `check verdict: found -> do`. */
export const lineOf = ({ check, verdict, found, do: todo }: Finding): string =>
  `${check} ${verdict}: ${found}${todo === undefined ? '' : ` -> ${todo}`}`
