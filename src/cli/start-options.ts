import type { Globals } from './globals.js'

/** What `start` takes. */
export interface StartOptions extends Globals {
  readonly producer?: boolean
  readonly worker?: boolean
  readonly queues?: readonly string[]
  readonly host?: string
  readonly port?: number
  readonly logLevel?: string
}
