import { createServer } from 'node:net'
import { type Config, createKernel, definePlugin, defineTask, type Kernel } from 'redisdistro'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import type { KernelOptions } from '../../src/kernel/kernel.js'
import type { Log } from '../../src/telemetry/log.js'
import { testPrefix, testRedisUrl } from '../support/redis.js'
import { project } from './project.js'

/** A log that keeps its warnings and errors. */
export function keepingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = []
  const keep = (message: string) => void lines.push(message)
  const log = { debug: () => undefined, info: () => undefined, warn: keep, error: keep, lines }
  return { ...log, with: () => ({ ...log, with: () => log as never }) }
}

/** A plugin with a task type `add`, whose hooks write down when they were called. */
export function adder(calls: string[] = [], setup: () => void = () => undefined) {
  const add = defineTask({
    type: 'add',
    payload: z.object({ a: z.number(), b: z.number() }),
    handle: ({ a, b }) => ({ sum: a + b }),
  })
  return definePlugin({
    name: 'adder',
    tasks: [add],
    setup: () => {
      calls.push('setup')
      setup()
    },
    close: () => void calls.push('close'),
  })
}

/** A config on the suite's Redis, under a prefix of its own, with a free port. */
export const testConfig = (more: Config = {}): Config => ({
  redis: { url: testRedisUrl(), prefix: testPrefix() },
  plugins: [adder()],
  http: { port: 0 },
  ...more,
})

/** A kernel of a config in hand, in a folder of its own, that is stopped when the test has finished. */
export async function kernelOf(config: Config, options: KernelOptions = {}): Promise<Kernel> {
  const directory = await project({})
  const kernel = await createKernel(config, { directory, env: {}, log: keepingLog(), ...options })
  onTestFinished(() => kernel.stop())
  return kernel
}

/** A port of loopback that somebody else has until the test has finished. */
export async function takenPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
