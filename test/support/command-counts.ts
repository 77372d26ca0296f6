import type { Redis } from 'ioredis'

/** What Redis did for a call, scripts and their commands, `TIME` left out, which a test's clock is for. */
export async function commandsOf(redis: Redis, work: () => Promise<unknown>): Promise<string> {
  await redis.config('RESETSTAT')
  await work()
  const report = await redis.info('commandstats')
  const counts = [...report.matchAll(/^cmdstat_([a-z]+):calls=(\d+)/gm)].flatMap(
    ([, name = '', calls]) =>
      ['info', 'config', 'evalsha', 'eval', 'time'].includes(name) ? [] : [`${name}:${calls}`],
  )
  return counts.sort().join(' ')
}
