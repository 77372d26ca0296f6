import type { Partition } from '../core/broker.js'
import { partitionKeys } from './keys.js'
import type { Script } from './script.js'
import type { ScriptStore } from './script-store.js'

/** What every call to a partition's scripts needs. */
export interface Engine {
  readonly store: ScriptStore
  readonly prefix: string
  /** '' for the store's own clock, else ms. */
  now(): number | ''
}

/** Values of a script's named arguments; all but `now`, which the engine gives. */
export type Named<Arg extends string> = Readonly<Record<Exclude<Arg, 'now'>, string | number>>

/** Runs a script on one partition. `rest` follows the named arguments. */
export function runScript<Arg extends string>(
  engine: Engine,
  call: {
    readonly script: Script<Arg>
    readonly partition: Partition
    readonly named: Named<Arg>
    readonly rest?: readonly (string | number)[]
  },
): Promise<unknown> {
  const { script, partition, named, rest } = call
  const keys = partitionKeys(engine.prefix, partition)
  const values = script.args.map((name) =>
    name === 'now' ? engine.now() : named[name as Exclude<Arg, 'now'>],
  )
  return engine.store.run(
    script,
    script.keys.map((name) => keys[name]),
    rest ? values.concat(rest) : values,
  )
}
