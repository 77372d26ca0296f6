import type { Server } from '../server.js'

/** What one server was found to be; what its user may not ask is undefined. Times in ms. */
export interface ServerFacts {
  /** Host and port. */
  readonly says: string
  /** The fields of INFO, by name. */
  readonly info: Readonly<Record<string, string>> | undefined
  readonly server: Server | undefined
  /** Of CONFIG GET, by name; what may not be read is missing. */
  readonly settings: Readonly<Record<string, string>>
  /** The server's time. */
  readonly time: number | undefined
  /** How far the server's clock is ahead of this machine's. */
  readonly ahead: number | undefined
  /** Round trips of PING, and of a script that does nothing. */
  readonly pings: readonly number[]
  readonly scripts: readonly number[]
  readonly rights: Rights
  /** How the durability that the config asks for is proven here; undefined where none is. */
  readonly durability: DurabilityFacts | undefined
}

/** What the user of the connection may do of what the product does. */
export interface Rights {
  /** The user's name, where it may be asked or the connection names one. */
  readonly user: string | undefined
  /** Commands as ACL rules write them. */
  readonly refused: readonly string[]
  /** Whether keys under the prefix are closed to the user. */
  readonly noKeys: boolean
}

export interface DurabilityFacts {
  /** Why it cannot be proven. */
  readonly refusal: string | undefined
  readonly warnings: readonly string[]
}

/** One sentinel: what it answers about its quorum, or why nothing. */
export interface SentinelFacts {
  readonly says: string
  readonly quorum: string | undefined
  readonly failure: string | undefined
}

/** What a connection leads to. */
export interface StoreFacts {
  /** The masters of a cluster, or the one server. */
  readonly servers: readonly ServerFacts[]
  /** The fields of CLUSTER INFO, where the connection is one to a cluster. */
  readonly cluster: Readonly<Record<string, string>> | undefined
}
