/** One lease of a task; `fence` sets it apart from the others of the same task. */
export interface HeldTask {
  readonly id: string
  readonly fence: string
}

/** Its name among all that a worker holds. */
export const nameOf = ({ id, fence }: HeldTask): string => `${id} ${fence}`
