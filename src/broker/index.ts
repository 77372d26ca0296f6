import type { Clock } from '../core/clock.js'

/** How to reach Redis. Exactly one of `url`, `sentinel`, `cluster`, or `memory`. */
export type ConnectionSettings =
  | { readonly url: string; readonly tls?: TlsSettings | undefined }
  | {
      readonly sentinel: {
        readonly name: string
        readonly nodes: readonly { readonly host: string; readonly port: number }[]
        readonly username?: string | undefined
        readonly password?: string | undefined
        readonly sentinelPassword?: string | undefined
        readonly db?: number | undefined
      }
      readonly tls?: TlsSettings | undefined
    }
  | {
      readonly cluster: {
        readonly nodes: readonly { readonly host: string; readonly port: number }[]
        readonly username?: string | undefined
        readonly password?: string | undefined
      }
      readonly tls?: TlsSettings | undefined
    }
  /** The in-process store; brokers of one name in one process share it. */
  | { readonly memory: string }

/** PEM texts, as Node's tls takes them. */
export interface TlsSettings {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly servername?: string | undefined
  readonly rejectUnauthorized?: boolean | undefined
}

/** What an enqueue waits for beyond the answer of the server that took it. */
export type Durability =
  /** Until so many replicas have it. */
  | { readonly kind: 'replicated'; readonly replicas: number }
  /** Until it is on the server's disk; one that is `ours` is told to sync before it answers. */
  | { readonly kind: 'fsync'; readonly ours?: boolean }

export interface BrokerOptions {
  readonly connection: ConnectionSettings
  /** First part of every key. */
  readonly prefix: string
  /** ms within which every call settles. */
  readonly commandTimeout: number
  /** Start although the server may evict keys. */
  readonly allowEviction: boolean
  /** Left out, an enqueue is acknowledged as soon as the server answers. */
  readonly durability?: Durability | undefined
  readonly log: {
    info(message: string, fields?: Record<string, unknown>): void
    warn(message: string, fields?: Record<string, unknown>): void
  }
  /** A test's own time in place of Redis's; the in-process store takes the system's. */
  readonly clock?: Clock | undefined
}
