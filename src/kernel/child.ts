import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { LeasedTask } from '../core/broker.js'
import { systemClock } from '../core/clock.js'
import { createLog } from '../telemetry/log.js'
import { attempt } from '../worker/attempt.js'
import { Run } from '../worker/run.js'
import { type FromChild, stopSignals, type ToChild } from './child-words.js'
import { ownClient } from './own-client.js'
import { closePlugins, setUpPlugins } from './plugin-setup.js'
import { readConfig } from './read-config.js'
import { runDirectory } from './resolved-config.js'

/** Between two looks at whether the parent lives, in ms. */
const lookEvery = 500

/** Counts on while the event loop turns. */
const turns = new SharedArrayBuffer(4)
const counter = new Int32Array(turns)
setInterval(() => Atomics.add(counter, 0, 1), lookEvery / 2).unref()

/** Ends this process with its parent, even while a handler blocks the event loop. */
const watch = new Worker(new URL('./parent-thread.js', import.meta.url), {
  workerData: { parent: Number(process.argv[2]), interval: lookEvery, turns },
  execArgv: [],
})
watch.unref()
const watched = once(watch, 'online')

/** Runs one suspect task alone in this process, then ends it. Started by `child-run.ts` alone. */
async function runAlone(task: LeasedTask, file: string, queue: string): Promise<void> {
  const config = await readConfig({ file })
  const log = (await createLog({ level: config.logLevel, pretty: false })).with({
    taskId: task.id,
    type: task.body.type,
    queue,
  })
  const { plugins, production } = config
  const own = ownClient(config, log)
  const { client } = own
  await setUpPlugins(plugins, { log, client, directory: runDirectory(config), production })
  const known = config.tasks.get(task.body.type)
  const host = {
    queue,
    logFor: () => log,
    progress: async (_: Run, value: unknown) => send({ kind: 'progress', value }),
  }
  const run = new Run(task, host, systemClock.now())
  watch.postMessage({ maxBlocked: config.worker.maxBlocked })
  if (known) run.maxAttempts = task.body.overrides.attempts ?? known.retry.attempts
  process.on('message', (message: ToChild) => {
    if ('abort' in message) run.abort(new Error(message.abort))
  })
  await watched
  await send({ kind: 'begins' })
  const outcome = await attempt(run, known, {
    queue,
    registry: config.tasks,
    mismatchGrace: config.worker.mismatchGrace,
    now: () => systemClock.now(),
    random: Math.random,
  })
  await send({ kind: 'outcome', outcome: JSON.stringify(outcome) })
  await closePlugins(plugins, log)
  await own.close()
  process.disconnect()
}

const send = (message: FromChild) =>
  new Promise<void>((resolve) => process.send?.(message, undefined, undefined, () => resolve()))

process.once('message', (message: ToChild) => {
  if (!('task' in message)) return
  void runAlone(message.task, message.file, message.queue)
})
// A stop reaches the whole group; when to end is the parent's to say, which kills where it must.
for (const signal of stopSignals) process.on(signal, () => undefined)
// Without its parent nobody hears what the task comes to.
process.once('disconnect', () => process.exit())
