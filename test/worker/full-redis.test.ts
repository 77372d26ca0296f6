import { Redis } from 'ioredis'
import { definePlugin, defineTask } from 'redisdistro'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { kernelOf, testConfig } from '../kernel/stage.js'
import { startRedis, testPrefix, until } from '../support/redis.js'

test('a full Redis drains by a worker that comes late, whose leases go on', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  let letGo: (() => void) | undefined
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const payload = z.object({ holds: z.boolean().default(false) })
  const handle = ({ holds }: { holds: boolean }) => (holds ? held : undefined)
  const plugins = [
    definePlugin({ name: 'job', tasks: [defineTask({ type: 'job', payload, handle })] }),
  ]
  const store = { url: redis.url, prefix: testPrefix() }
  const config = testConfig({ redis: store, plugins, http: false, worker: { lease: '3s' } })
  const { client, operator } = await kernelOf(config)
  const long = await client.enqueue('job', { holds: true })
  await client.enqueueMany(
    'job',
    Array.from({ length: 300 }, () => ({})),
  )

  const admin = new Redis(redis.url)
  await admin.config('SET', 'maxmemory', '1').finally(() => admin.disconnect())
  await expect(client.enqueue('job', {})).rejects.toMatchObject({ code: 'store_full' })
  await (await kernelOf(config)).start({ roles: ['worker'] })

  await until(async () => (await operator.queue('default')).depth.completed === 300)
  const [first] = await operator.workers()
  const renewed = async () =>
    Date.parse(`${(await operator.workers())[0]?.leaseUntil}`) >
    Date.parse(`${first?.leaseUntil}`) + 3000
  await until(renewed, { describe: 'a lease that outlives the first' })
  letGo?.()
  expect(await operator.waitFor(long.id, 5000)).toMatchObject({ state: 'completed', attempt: 1 })
  expect((await operator.stats()).total).toMatchObject({ completed: 301, lost: 0 })
})
