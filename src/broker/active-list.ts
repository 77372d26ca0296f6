import type { ListCall, ListPage, Partition, StoredTask } from '../core/broker.js'
import type { Engine } from './arguments.js'
import { findFirst } from './find-first.js'
import { partitionKeys } from './keys.js'
import { readAt } from './wrong-type.js'

/** The shortest scan from a cursor that has no more than `most`; one bucket of the hash may have more. */
async function scanActive(engine: Engine, key: string, { cursor, most }: ScanCall) {
  for (let count = most; ; count = Math.floor(count / 2)) {
    const scan = await readAt(key, engine.store.scanHash(key, cursor, count))
    if (count <= 1 || scan.pairs.length <= most * 2) return scan
  }
}

interface ScanCall {
  readonly cursor: string
  /** A page's records; with 0 or less one bucket is scanned. */
  readonly most: number
}

/**
 * Active tasks lie in no order but that of their hash: `next` is a scan's cursor. Where not all that
 * the scan gave is shown, it is gone through in the order of ids, and `next` is the same cursor, the one
 * behind it, and the last id; a scan that ends elsewhere by then is shown whole: rather one twice than
 * one never.
 */
export async function listActive(
  engine: Engine,
  partition: Partition,
  call: ListCall,
): Promise<ListPage> {
  const key = partitionKeys(engine.prefix, partition).active
  const [cursor = '0', end, last = ''] = (call.after ?? '0').split(' ')
  const most = last === '' ? call.limit : 0
  const scan = await scanActive(engine, key, { cursor, most })
  const all = scan.pairs.filter((_, i) => i % 2 === 0).sort()
  const ids = scan.cursor === end ? all.filter((id) => id > last) : all
  const asked = ids.slice(0, call.limit)
  const found = await findFirst(engine, partition, asked)
  const behind = (id: string | undefined) => `${cursor} ${scan.cursor} ${id}`
  const tasks = found.filter((task) => task?.state === 'active') as StoredTask[]
  const places = tasks.map(({ id }) => behind(id))
  const cut = found.length < asked.length
  if (found.length < ids.length) {
    return { tasks, places, next: behind(asked[found.length - 1]), cut }
  }
  return { tasks, places, cut, ...(scan.cursor === '0' ? {} : { next: scan.cursor }) }
}
