import type { Partition } from '../core/broker.js'
import { type KeyName, partitionKeys } from './keys.js'
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

interface ScriptCall<Arg extends string, Key extends string> {
  readonly script: Script<Arg, Key>
  readonly named: Named<Arg>
  readonly rest?: readonly (string | number)[]
}

/** Runs a script on keys by their names. `rest` follows the named arguments. */
export function runOnKeys<Arg extends string, Key extends string>(
  engine: ScriptEngine,
  keys: Readonly<Record<Key, string>>,
  { script, named, rest }: ScriptCall<Arg, Key>,
): Promise<unknown> {
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

/** Runs a script on one partition. */
export function runScript<Arg extends string>(
  engine: ScriptEngine,
  call: ScriptCall<Arg, KeyName> & { readonly partition: Partition },
): Promise<unknown> {
  return runOnKeys(engine, partitionKeys(engine.prefix, call.partition), call)
}
