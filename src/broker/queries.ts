import type {
  DeadSpan,
  DeadSpanCall,
  ListCall,
  ListPage,
  MinuteCounts,
  Partition,
  PartitionCounts,
  PartitionStats,
  Remembered,
  StoredTask,
  WorkerDetails,
  WorkerRecord,
} from '../core/broker.js'
import { startCounts } from '../core/counts.js'
import { isEnded, type State, states } from '../core/state.js'
import { listActive } from './active-list.js'
import { type Engine, runScript } from './arguments.js'
import { decodeTask } from './blob.js'
import { fieldsOfTask, findFirst } from './find-first.js'
import { partitionKeys } from './keys.js'
import { readLimitState } from './limits.js'
import {
  countsScript,
  deadSpanScript,
  lettersScript,
  listScript,
  rememberedScript,
} from './query-scripts.js'
import { withRawRecords } from './raw-records.js'
import { decodeStored, readJson } from './stored-record.js'
import { holders } from './upkeep.js'
import { readAt } from './wrong-type.js'

/** Tasks by id, each read at one moment; undefined where there is none. */
export async function findTasks(
  engine: Engine,
  partition: Partition,
  ids: readonly string[],
): Promise<(StoredTask | undefined)[]> {
  const found = await findFirst(engine, partition, ids)
  while (found.length < ids.length) {
    found.push(...(await findFirst(engine, partition, ids.slice(found.length))))
  }
  return found
}

/** What is known of ids, with tasks whose records are gone; undefined for one never seen. */
export async function recallIds(
  engine: Engine,
  partition: Partition,
  ids: readonly string[],
): Promise<(Remembered | undefined)[]> {
  if (ids.length === 0) return []
  const call = { script: rememberedScript, partition, named: {}, rest: ids }
  const answer = (await runScript(engine, call)) as string[]
  return ids.map((id, i) => {
    const [state = '', fingerprint = ''] = answer.slice(i * 2, i * 2 + 2)
    if (state === '') return undefined
    return { id, state: state as State, ...(fingerprint === '' ? {} : { fingerprint }) }
  })
}

/** As the list's script reads it; scores have two decimals at most. */
function placeOf(score: string | undefined, id: string): string {
  const value = Number(score)
  return `${Number.isFinite(value) ? value.toFixed(2) : score} ${id}`
}

/** A page of one state: in the order of running, ended ones newest first. */
export async function listTasks(
  engine: Engine,
  partition: Partition,
  call: ListCall,
): Promise<ListPage> {
  if (call.state === 'active') return listActive(engine, partition, call)
  const answer = (await runScript(engine, {
    script: listScript,
    partition,
    named: {
      set: call.state,
      letter: call.deadLetter ?? '',
      backward: isEnded(call.state) ? 1 : 0,
      after: call.after ?? '',
      limit: call.limit,
    },
  })) as string[]
  const tasks: StoredTask[] = []
  const places: string[] = []
  for (let i = 1; i + fieldsOfTask < answer.length; i += fieldsOfTask + 1) {
    const id = answer[i] as string
    const task = decodeStored(id, answer.slice(i + 1, i + 1 + fieldsOfTask))
    if (!task) continue
    tasks.push(task)
    places.push(placeOf(answer[i + 3], id))
  }
  const shown = await withRawRecords(engine, partition, tasks)
  if (!answer[0]) return { tasks: shown, places, cut: false }
  return { tasks: shown, places, next: answer[0], cut: tasks.length < call.limit }
}

/** Depths and what an operator asks first, at one moment. */
export async function countTasks(engine: Engine, partition: Partition): Promise<PartitionCounts> {
  const call = { script: countsScript, partition, named: {} }
  const answer = (await runScript(engine, call)) as string[]
  const [now, paused, workers, ...rest] = answer
  const depth = Object.fromEntries(states.map((state, i) => [state, Number(rest[i])]))
  const [remembered, limit = '', said = '', bucket = '', gone, ...oldest] = rest.slice(
    states.length,
  )
  const workerless = Number(gone)
  const heads = oldest
    .map(decodeTask)
    .flatMap(({ body, broken }) => (broken === undefined ? body.enqueuedAt : []))
  const limits = readLimitState(limit, said, bucket)
  return {
    depth: depth as Record<State, number>,
    paused: paused === '1',
    workers: Number(workers),
    remembered: Number(remembered),
    now: Number(now),
    ...(limits ? { limits } : {}),
    ...(workerless > 0 ? { workerless } : {}),
    ...(heads.length > 0 ? { oldestWaiting: Math.max(0, Number(now) - Math.min(...heads)) } : {}),
  }
}

/** Totals, and the minutes that are asked for. `total` is the folded sum plus the minutes kept. */
export async function readStats(
  engine: Engine,
  partition: Partition,
  minutes: number,
): Promise<PartitionStats> {
  const key = partitionKeys(engine.prefix, partition).stats
  const fields = await readAt(key, engine.store.readHash(key))
  const now = engine.now()
  const current = Math.floor((now === '' ? await engine.store.time() : now) / 60_000)
  const total = startCounts()
  const byMinute = new Map<number, ReturnType<typeof startCounts>>()
  for (const [field, value] of Object.entries(fields)) {
    const [when, name] = field.split(':') as [string, keyof MinuteCounts]
    if (!(name in total)) continue
    if (!/^\d+$/.test(value)) continue
    total[name] += Number(value)
    const minute = Number(when)
    if (!(minute > current - minutes)) continue
    const counts = byMinute.get(minute) ?? startCounts()
    counts[name] += Number(value)
    byMinute.set(minute, counts)
  }
  const sorted = [...byMinute].sort(([a], [b]) => a - b)
  return { total, minutes: sorted.map(([minute, counts]) => ({ minute, ...counts })) }
}

/** Undefined where a worker told nothing of itself, or nothing that can be read. */
function readDetails(text: string | undefined): WorkerDetails | undefined {
  const told = readJson(text ?? '')
  if (typeof told !== 'object' || told === null) return undefined
  const { host, pid, concurrency, startedAt } = told as Record<string, unknown>
  const numbers = [pid, concurrency, startedAt].every(Number.isFinite)
  return typeof host === 'string' && numbers ? (told as WorkerDetails) : undefined
}

/** Live workers and at most 1000 of the tasks that each holds. */
export async function readWorkers(engine: Engine, partition: Partition): Promise<WorkerRecord[]> {
  const keys = partitionKeys(engine.prefix, partition)
  const details = await readAt(keys.details, engine.store.readHash(keys.details))
  const leases = await readAt(keys.workers, engine.store.readScores(keys.workers))
  const running = new Map<string, string[]>()
  for await (const page of holders(engine, partition, () => true)) {
    for (const { id, holder } of page) {
      const worker = holder.slice(holder.lastIndexOf(' ') + 1)
      const ids = running.get(worker) ?? []
      if (ids.length < 1000) ids.push(id)
      running.set(worker, ids)
    }
  }
  const now = engine.now() === '' ? await engine.store.time() : Number(engine.now())
  const records: WorkerRecord[] = []
  for (const [worker, leaseUntil] of leases) {
    const about = readDetails(details[worker])
    if (about === undefined || leaseUntil < now) continue
    records.push({ worker, leaseUntil, running: running.get(worker) ?? [], ...about })
  }
  return records
}

/** The dead-letter keys in use, with how many lie under each. */
export async function readDeadLetters(engine: Engine, partition: Partition) {
  const call = { script: lettersScript, partition, named: {} }
  const answer = (await runScript(engine, call)) as string[]
  const letters: { key: string; count: number }[] = []
  for (let i = 0; i + 1 < answer.length; i += 2) {
    letters.push({ key: answer[i] as string, count: Number(answer[i + 1]) })
  }
  return letters.filter(({ count }) => count > 0)
}

/** How many lie under a dead-letter key within a time. */
export async function readDeadSpan(
  engine: Engine,
  partition: Partition,
  { deadLetter, from, to }: DeadSpanCall,
): Promise<DeadSpan> {
  const named = { letter: deadLetter, first: from ?? '-inf', last: to ?? '+inf' }
  const answer = await runScript(engine, { script: deadSpanScript, partition, named })
  const [count = 0, oldest, newest] = (answer as string[]).map(Number)
  return oldest === undefined || newest === undefined ? { count } : { count, oldest, newest }
}
