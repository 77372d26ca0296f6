import type { Partition, StoredTask } from '../core/broker.js'
import { type Engine, runScript } from './arguments.js'
import { findScript } from './query-scripts.js'
import { withRawRecords } from './raw-records.js'
import { decodeStored } from './stored-record.js'

/** Texts of one task in the answer of a script. */
export const fieldsOfTask = 7

/** The first of these ids, as many as one page may hold: one at least. */
export async function findFirst(
  engine: Engine,
  partition: Partition,
  ids: readonly string[],
): Promise<(StoredTask | undefined)[]> {
  if (ids.length === 0) return []
  const call = { script: findScript, partition, named: {}, rest: ids }
  const answer = (await runScript(engine, call)) as string[]
  const found = ids
    .slice(0, answer.length / fieldsOfTask)
    .map((id, i) => decodeStored(id, answer.slice(i * fieldsOfTask, (i + 1) * fieldsOfTask)))
  return withRawRecords(engine, partition, found)
}
