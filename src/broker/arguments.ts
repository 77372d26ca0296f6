import type { Partition } from '../core/broker.js'
import { partitionKeys } from './keys.js'
import type { Script } from './script.js'
import type { ScriptRunner, ScriptStore } from './script-store.js'
import { explained } from './wrong-type.js'

/** What every call to a partition's scripts needs. */
export interface ScriptEngine {
  readonly store: ScriptRunner
  readonly prefix: string
  /** '' for the store's own clock, else ms. */
  now(): number | ''
}

/** The same, with what is read without a script. */
export interface Engine extends ScriptEngine {
  readonly store: ScriptStore
}

/** Values of a script's named arguments; all but `now`, which the engine gives. */
export type Named<Arg extends string> = Readonly<Record<Exclude<Arg, 'now'>, string | number>>

/** Runs a script on one partition. `rest` follows the named arguments. */
export function runScript<Arg extends string>(
  engine: ScriptEngine,
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
  const { store } = engine
  const used = script.keys.map((name) => keys[name])
  const running = store.run(script, used, rest ? values.concat(rest) : values)
  return running.catch(async (error: unknown) => {
    throw await explained(error, { store, script, keys: used })
  })
}
