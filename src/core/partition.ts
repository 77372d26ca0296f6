/** One part of a queue: all of its keys share a hash tag, so that nothing of a task spans two. */
export interface Partition {
  readonly queue: string
  /** 0 to `of` - 1. */
  readonly index: number
  readonly of: number
}

/** What sets a partition's keys apart: two numbers of partitions share the parts that they both have. */
export const tagOf = ({ queue, index, of }: Partition): string =>
  of === 1 ? queue : `${queue}:${index}`
