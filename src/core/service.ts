/** A part of a kernel that runs beside the workers, again and again. */
export interface Service {
  readonly name: string
  start(): void
  stop(): Promise<void>
  /** One round; tests call it instead of waiting. */
  tick(): Promise<void>
}
