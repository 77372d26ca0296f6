import type { LeasedTask } from '../core/broker.js'
import { systemClock } from '../core/clock.js'
import { createLog } from '../telemetry/log.js'
import { attempt } from '../worker/attempt.js'
import { Run } from '../worker/run.js'
import type { FromChild, ToChild } from './isolation.js'
import { closePlugins, setUpPlugins } from './plugin-setup.js'
import { readConfig } from './read-config.js'
import { runDirectory } from './resolved-config.js'

/** Runs one suspect task alone in this process, then ends it. Started by `isolation.ts` alone. */
async function runAlone(task: LeasedTask, file: string, queue: string): Promise<void> {
  const config = await readConfig({ file })
  const log = (await createLog({ level: config.logLevel, pretty: false })).with({
    taskId: task.id,
    type: task.body.type,
    queue,
  })
  const { plugins, production } = config
  await setUpPlugins(plugins, { log, directory: runDirectory(config), production })
  const known = config.tasks.get(task.body.type)
  const host = {
    queue,
    logFor: () => log,
    progress: async (_: Run, value: unknown) => send({ progress: value }),
  }
  const run = new Run(task, host, systemClock.now())
  if (known) run.maxAttempts = task.body.overrides.attempts ?? known.retry.attempts
  process.on('message', (message: ToChild) => {
    if ('abort' in message) run.abort(new Error(message.abort))
  })
  await send({ begins: true })
  const outcome = await attempt(run, known, {
    queue,
    registry: config.tasks,
    mismatchGrace: config.worker.mismatchGrace,
    now: () => systemClock.now(),
    random: Math.random,
  })
  await send({ outcome: JSON.stringify(outcome) })
  await closePlugins(plugins, log)
  process.disconnect()
}

const send = (message: FromChild) =>
  new Promise<void>((resolve) => process.send?.(message, undefined, undefined, () => resolve()))

process.once('message', (message: ToChild) => {
  if (!('task' in message)) return
  void runAlone(message.task, message.file, message.queue)
})
// Ctrl-C reaches the whole group; when to end is the parent's to say.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
// Without its parent nobody hears what the task comes to.
process.once('disconnect', () => process.exit())
