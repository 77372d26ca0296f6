import { expect, test, vi } from 'vitest'
import { until } from '../support/redis.js'
import { account } from './rig/account.js'
import { experiment } from './rig/experiment.js'
import { makeFleet } from './rig/fleet.js'
import { startLoad } from './rig/load.js'

// Real processes that die and start again, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 })

const times = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))
const idsOf = (tasks: readonly { readonly id: string }[]) => tasks.map(({ id }) => id)

test('what a killed worker was running runs elsewhere after its lease, once, and no attempt is spent', async () => {
  const fleet = await makeFleet()
  const doomed = await fleet.work()
  const ids = idsOf(await fleet.client.enqueueMany('gated', times(10)))
  await until(() => fleet.ledger.lines().length === 10)
  const [pid = 0] = doomed.kernels()
  doomed.child.kill('SIGSTOP')
  process.kill(pid, 'SIGKILL')
  const other = await fleet.work()
  await until(() => fleet.ledger.lines().length === 20)
  await fleet.openGate()
  expect(await fleet.ended(ids)).toEqual(ids.map(() => 'completed'))
  for (const id of ids) {
    const lines = fleet.ledger.lines().filter((line) => line.id === id)
    expect(lines.map(({ word, pid: by, attempt }) => [word, by, attempt])).toEqual([
      ['start', pid, 1],
      ['start', other.kernels()[0], 1],
      ['end', other.kernels()[0], 1],
    ])
    expect(await fleet.client.task(id)).toMatchObject({ attempt: 1 })
  }
})

test('the late word of a worker that was only stopped changes nothing', async () => {
  const fleet = await makeFleet({ concurrency: 1 })
  const stopped = await fleet.work()
  const { id } = await fleet.client.enqueue('gated', { n: 0 })
  await until(() => fleet.ledger.lines().length === 1)
  const [pid = 0] = stopped.kernels()
  process.kill(pid, 'SIGSTOP')
  const other = await fleet.work()
  await until(() => fleet.ledger.lines().length === 2)
  // Its handler ends as soon as it goes on, and then says so under a lease that it has no more.
  await fleet.openGate()
  expect(await fleet.ended([id])).toEqual(['completed'])
  process.kill(pid, 'SIGCONT')
  await until(() => stopped.output().includes('The lease was lost; beginning again'))
  await until(() => fleet.ledger.lines().filter(({ word }) => word === 'end').length === 2)
  const next = await fleet.client.enqueue('gated', { n: 1 })
  await fleet.ended([next.id])
  expect(await fleet.client.task(id)).toMatchObject({
    state: 'completed',
    attempt: 1,
    result: other.kernels()[0],
  })
})

test('a task that kills its process is buried with its last words, and its neighbours complete', async () => {
  const fleet = await makeFleet({ concurrency: 6 })
  const [poison = ''] = idsOf(await fleet.client.enqueueMany('poison', [{ n: -1, how: 'killed' }]))
  const bystanders = idsOf(await fleet.client.enqueueMany('gated', times(5)))
  const worker = await fleet.work()
  // Two losses in company, then alone in two children.
  await until(() => fleet.ledger.lines().filter(({ id }) => id === poison).length === 2, {
    timeout: 60_000,
  })
  await fleet.openGate()
  expect(await fleet.ended([poison, ...bystanders])).toEqual([
    'dead',
    ...bystanders.map(() => 'completed'),
  ])
  const deaths = fleet.ledger.lines().filter(({ id }) => id === poison)
  expect(deaths).toHaveLength(4)
  expect(new Set(deaths.map(({ pid }) => pid)).size).toBe(4)
  const buried = await fleet.client.task(poison)
  expect(buried?.attempts.at(-1)).toMatchObject({
    outcome: 'bury',
    error: { code: 'crashed', message: expect.stringMatching(/SIGKILL.*something terrible/) },
  })
  for (const id of bystanders) {
    expect(await fleet.client.task(id)).toMatchObject({ state: 'completed', attempt: 1 })
  }
  // The kernel that watched the children die lives.
  expect(worker.kernels()).toHaveLength(3)
})

interface Kills {
  readonly rounds: number
  readonly tasks: number
  readonly rate: number
}

experiment<Kills>(
  {
    fault: 'kill -9 of one of three workers each round, of all three in one of ten',
    short: { rounds: 5, tasks: 2000, rate: 400 },
    long: { rounds: 100, tasks: 100_000, rate: 500 },
  },
  async ({ rounds, tasks, rate }, progress) => {
    const lease = 1000
    const concurrency = 10
    const fleet = await makeFleet({ concurrency, lease: `${lease}ms` })
    const workers = await Promise.all([fleet.work(), fleet.work(), fleet.work()])
    const load = startLoad(fleet.client, {
      rate,
      total: tasks,
      task: (n) => ({ type: 'note', payload: { n, ms: 20 } }),
    })
    const killed = new Set<number>()
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`)
      const whole = round % 10 === 0 || round === rounds
      const doomed = whole ? workers : workers.slice(round % 3, (round % 3) + 1)
      await Promise.all(
        doomed.map(async (worker) => {
          const pids = worker.kernels()
          const pid = pids.at(-1) ?? 0
          killed.add(pid)
          process.kill(pid, 'SIGKILL')
          await worker.ready(pids.length + 1)
        }),
      )
    }
    progress('the rest')
    await load.done
    const { lost, twice, startedAgain, acknowledged } = await account(fleet, load.acknowledged)
    const stats = await fleet.operator.stats()
    expect({ lost, acknowledged, dead: stats.depth.dead }).toEqual({
      lost: 0,
      acknowledged: tasks,
      dead: 0,
    })
    // Only what a worker was running when it was killed began again.
    expect(startedAgain).toBeLessThanOrEqual(killed.size * concurrency)
    const last = new Map(fleet.ledger.starts().map(({ n, pid }) => [n, pid]))
    const again = fleet.ledger.starts().filter(({ n, pid }) => last.get(n) !== pid)
    expect(again.filter(({ pid }) => !killed.has(pid))).toEqual([])
    return { acknowledged, lost, twice, lease, again: `${startedAgain} that a killed worker had` }
  },
)
