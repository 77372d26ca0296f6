import type { Script } from './script.js'

/** Where scripts run. */
export interface ScriptRunner {
  /** Runs a script whole or not at all; throws RedisDistroError of the infrastructure family. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>
}

/** Fields and values by turns. */
export interface StreamEntry {
  readonly id: string
  readonly fields: readonly string[]
}

/** From one id to another, both included; `-` and `+` are a stream's ends. */
export interface StreamRange {
  readonly from: string
  readonly to: string
  readonly count: number
}

/** A Redis behind a connection, or the in-process store. */
export interface ScriptStore extends ScriptRunner {
  /** Without secrets. */
  readonly says: string
  readonly shared: boolean
  /** @throws RedisDistroError `unsafe_redis` while the server must not be used */
  mustBeSafe(): void
  open(): Promise<void>
  close(): Promise<void>
  /** Waits until a mark lies in the list, then takes it; at most `ms`. Never throws. */
  block(key: string, ms: number, signal: AbortSignal): Promise<void>
  /** Gives up what waiting at a list took; whoever still waits there is not disturbed. */
  release(key: string): void
  scanHash(
    key: string,
    cursor: string,
    count?: number,
  ): Promise<{ cursor: string; pairs: string[] }>
  readHash(key: string): Promise<Record<string, string>>
  writeHash(key: string, fields: Record<string, string>): Promise<void>
  /** Members of a sorted set with their scores. */
  readScores(key: string): Promise<[member: string, score: number][]>
  /** Entries of a stream, oldest first. */
  readStream(key: string, range: StreamRange): Promise<StreamEntry[]>
  /** The id of the last entry of a stream; '0-0' where there is none. */
  lastInStream(key: string): Promise<string>
  /** What is behind the ids of streams, at most 100 of each; waits for the first at most `ms`. */
  followStreams(
    after: ReadonlyMap<string, string>,
    ms: number,
    signal: AbortSignal,
  ): Promise<Map<string, StreamEntry[]>>
  /** Streams with the same name here can be followed in one call. */
  laneOf(key: string): string
  /** ms, by the store's clock. */
  time(): Promise<number>
}
