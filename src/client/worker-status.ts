import type { Broker, Partition } from '../core/broker.js'
import { iso } from '../core/clock.js'
import type { WorkerStatus } from './contract.js'

const mostRunning = 1000

/** The live workers of a partition, with what each holds. */
export async function workersOf(broker: Broker, partition: Partition): Promise<WorkerStatus[]> {
  const records = await broker.workers(partition)
  return records.map((record) => ({
    id: record.worker,
    queue: partition.queue,
    host: record.host,
    pid: record.pid,
    concurrency: record.concurrency,
    startedAt: iso(record.startedAt),
    leaseUntil: iso(record.leaseUntil),
    running: record.running.slice(0, mostRunning),
  }))
}
