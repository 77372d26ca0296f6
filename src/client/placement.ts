import type { Partition } from '../core/broker.js'
import { tagOf } from '../core/partition.js'
import type { KnownQueue } from './contract.js'

const suffix = /\.\d+$/

// One object a partition, so that who collects by partition compares by identity.
const known = new Map<string, Map<number, readonly Partition[]>>()

/** The parts of a queue, the same objects each time. */
export function partitionsOf(queue: string, of: number): readonly Partition[] {
  const before = known.get(queue)?.get(of)
  if (before !== undefined) return before
  const parts = Array.from({ length: of }, (_, index) => ({ queue, index, of }))
  const ofQueue = known.get(queue) ?? new Map<number, readonly Partition[]>()
  known.set(queue, ofQueue.set(of, parts))
  return parts
}

/** The parts of a queue by its former numbers of partitions that it has no more, each once. */
export function formerParts({ queue, partitions, former }: KnownQueue): Partition[] {
  const seen = new Set(partitionsOf(queue, partitions).map(tagOf))
  return former
    .flatMap((number) => partitionsOf(queue, number))
    .filter((part) => !seen.has(tagOf(part)) && seen.add(tagOf(part)))
}

/** FNV-1a, then mixed, since the lowest bits alone decide. */
function hash(text: string): number {
  let sum = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193)
  }
  sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b)
  sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35)
  return (sum ^ (sum >>> 16)) >>> 0
}

/** Where a task of this id may lie: by the present number of partitions, then by former ones. */
export function placesOf({ queue, partitions, former }: KnownQueue, id: string): Partition[] {
  const seen = new Set<string>()
  return [partitions, ...former]
    .map((of) => partitionOf(queue, of, id))
    .filter((place) => !seen.has(tagOf(place)) && seen.add(tagOf(place)))
}

/**
 * The partition that a task lies in, by its id without the batch suffix `.n`: a repeat meets its
 * first, and a look-up asks one partition of each queue. Never change it: stored tasks would not be
 * found again.
 */
export function partitionOf(queue: string, partitions: number, id: string): Partition {
  const parts = partitionsOf(queue, partitions)
  const index = partitions === 1 ? 0 : hash(id.replace(suffix, '')) % partitions
  const part = parts[index]
  if (part === undefined) throw new RangeError(`queue '${queue}' has ${partitions} partitions`)
  return part
}
