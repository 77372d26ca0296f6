/** One part of a queue: all of its keys share a hash tag, so that nothing of a task spans two. */
export interface Partition {
  readonly queue: string
  /** 0 to `of` - 1. */
  readonly index: number
  readonly of: number
}
