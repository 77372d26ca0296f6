import { expect, onTestFinished, test } from 'vitest'
import { startRedis, until } from '../support/redis.js'
import { Backlog, type BacklogSize, readCalls, readRuns, yardstick } from './rig/backlog.js'
import { experiment } from './rig/experiment.js'

async function openBacklog(): Promise<Backlog> {
  const server = await startRedis()
  const backlog = new Backlog(server.url)
  onTestFinished(async () => {
    await backlog.close()
    await server.stop()
  })
  await backlog.open()
  return backlog
}

/** Commands whose reach is all of a key; on none of those that a backlog lies in. */
const whole = /^(hgetall|hkeys|hvals|smembers|keys|lrange)$/i
const small = /:(workers|details|deadLetters|stats|layouts|types|queues)$/

/** What one round of every call sends to Redis: calls by command, and who reads a key whole. */
async function traceRound(backlog: Backlog) {
  const { redis } = backlog
  const monitor = await redis.monitor()
  const reads = new Set<string>()
  let over = false
  monitor.on('monitor', (_, [command = '', key = '', ...rest]: string[]) => {
    if (command === 'echo' && key === 'over') over = true
    const words = rest.map((word) => word.toLowerCase())
    const range = /^z(rev)?range$/i.test(command) && rest[0] === '0' && rest[1] === '-1'
    const scores = /^z(rev)?rangebyscore$/i.test(command) && !words.includes('limit')
    if (whole.test(command) || range || scores) reads.add(`${command.toLowerCase()} ${key}`)
  })
  const before = await readCalls(redis)
  await backlog.useAll()
  const after = await readCalls(redis)
  await redis.echo('over')
  await until(() => over)
  monitor.disconnect()
  const calls = new Map<string, number>()
  for (const [name, count] of after) calls.set(name, count - (before.get(name) ?? 0))
  return { calls, reads: [...reads] }
}

const growing = [20, 2000, 20_000].map(
  (ready): BacklogSize => ({ ready: ready + 1500, delayed: ready / 10, dead: ready / 10 + 1000 }),
)

test('no script does more over a backlog than over a few tasks', { timeout: 120_000 }, async () => {
  const rounds: Awaited<ReturnType<typeof traceRound>>[] = []
  for (const size of growing) {
    const backlog = await openBacklog()
    await backlog.fill(size, () => undefined)
    // The first round loads scripts, and makes what is made once.
    await backlog.useAll()
    rounds.push(await traceRound(backlog))
  }
  for (const { reads } of rounds) {
    // As the rescuer does, so that reads inside of scripts are seen.
    expect(reads).toContain('zrangebyscore b:{default}:workers')
    expect(reads.filter((read) => !small.test(read))).toEqual([])
  }
  const total = rounds.map(({ calls }) => [...calls.values()].reduce((sum, n) => sum + n, 0))
  const [few = 0, ...more] = total
  // Pages of a walk over what is active, and minutes that pass, are not the same each time.
  for (const many of more) expect(many).toBeLessThan(few * 1.1)
})

/** The value below which this share of them lies. */
const share = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? 0

interface Measured extends BacklogSize {
  readonly rounds: number
}

experiment<Measured>(
  {
    fault: 'a backlog of a million ready, 100,000 delayed, 100,000 dead',
    long: { ready: 1_000_000, delayed: 100_000, dead: 100_000, rounds: 150 },
  },
  async (size, progress) => {
    const backlog = await openBacklog()
    const { redis } = backlog
    await backlog.fill(size, progress)
    await redis.config('SET', 'slowlog-log-slower-than', '0')
    await redis.config('SET', 'slowlog-max-len', '100000')
    await redis.slowlog('RESET')
    const runs = new Map<string, number[]>()
    for (let round = 0; round < size.rounds; round += 1) {
      await backlog.useAll()
      for (let i = 0; i < 3; i += 1) await redis.eval(yardstick, 0)
      for (const [name, micros] of await readRuns(redis)) {
        runs.set(name, [...(runs.get(name) ?? []), ...micros])
      }
      if (round % 10 === 0) progress(`round ${round} of ${size.rounds}`)
    }
    const yard = runs.get('yardstick') ?? []
    runs.delete('yardstick')
    // On a busy machine every run takes longer now and then; the bound is for an idle one.
    const slowed = Math.max(1, share(yard, 0.99) / share(yard, 0))
    const byScript = [...runs].map(([name, micros]) => ({
      name,
      median: share(micros, 0.5) / 1000,
      p90: share(micros, 0.9) / 1000,
      p99: share(micros, 0.99) / 1000,
      worst: share(micros, 1) / 1000,
    }))
    const slowest = [...byScript].sort((a, b) => b.p99 - a.p99)
    progress(slowest.map(({ name, ...ms }) => `${name} ${Object.values(ms).join(', ')}`).join('; '))
    for (const { name, p99 } of byScript) {
      expect(p99 / slowed, `${name}, ms; the machine was ${slowed} times slower`).toBeLessThan(10)
    }
    const [first] = slowest
    const worst = Math.max(...byScript.map((script) => script.worst))
    return {
      acknowledged: size.ready + size.delayed + size.dead,
      seen: `every script p99 ≤ ${first?.p99.toFixed(1)} ms (${first?.name}), worst ${worst.toFixed(1)} ms; a fixed loop up to ${slowed.toFixed(1)} times its best`,
    }
  },
)
