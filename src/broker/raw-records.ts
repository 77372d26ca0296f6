import type { Partition, StoredTask } from '../core/broker.js'
import { type Engine, runScript } from './arguments.js'
import { rawScript } from './query-scripts.js'

/** Bytes that one look shows of broken records, all together. */
const mostBytes = 65_536

/**
 * Adds the bytes of records that cannot be read, as many as may be shown, to what was found; where
 * all can be read it is given back as it is.
 */
export async function withRawRecords<Found extends StoredTask | undefined>(
  engine: Engine,
  partition: Partition,
  found: Found[],
): Promise<Found[]> {
  const ids = found.flatMap((task) => (task?.broken === undefined ? [] : [task.id]))
  if (ids.length === 0) return found
  const most = Math.floor(mostBytes / ids.length)
  const call = { script: rawScript, partition, named: { most }, rest: ids }
  const answer = (await runScript(engine, call)) as string[]
  const raw = new Map(ids.map((id, i) => [id, Buffer.from(answer[i] ?? '', 'hex')]))
  return found.map((task) => {
    const bytes = task && raw.get(task.id)
    return bytes ? { ...task, raw: bytes.toString('base64') } : task
  })
}
