import { expect, test, vi } from 'vitest'
import { until } from '../support/redis.js'
import { makeFleet } from './fleet.js'

// Real processes that die and start again, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 })

const times = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))
const idsOf = (tasks: readonly { readonly id: string }[]) => tasks.map(({ id }) => id)

test('what a killed worker was running runs elsewhere after its lease, once, and no attempt is spent', async () => {
  const fleet = await makeFleet()
  const doomed = await fleet.work()
  const ids = idsOf(await fleet.client.enqueueMany('note', times(10)))
  await until(() => fleet.ledger().length === 10)
  const [pid = 0] = doomed.kernels()
  doomed.child.kill('SIGSTOP')
  process.kill(pid, 'SIGKILL')
  const other = await fleet.work()
  await until(() => fleet.ledger().length === 20)
  fleet.openGate()
  expect(await fleet.ended(ids)).toEqual(ids.map(() => 'completed'))
  for (const id of ids) {
    const lines = fleet.ledger().filter((line) => line.id === id)
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
  const { id } = await fleet.client.enqueue('note', {})
  await until(() => fleet.ledger().length === 1)
  const [pid = 0] = stopped.kernels()
  process.kill(pid, 'SIGSTOP')
  const other = await fleet.work()
  await until(() => fleet.ledger().length === 2)
  // Its handler ends as soon as it goes on, and then says so under a lease that it has no more.
  fleet.openGate()
  expect(await fleet.ended([id])).toEqual(['completed'])
  process.kill(pid, 'SIGCONT')
  await until(() => stopped.output().includes('The lease was lost; beginning again'))
  await until(() => fleet.ledger().filter(({ word }) => word === 'end').length === 2)
  const next = await fleet.client.enqueue('note', {})
  await fleet.ended([next.id])
  expect(await fleet.client.task(id)).toMatchObject({
    state: 'completed',
    attempt: 1,
    result: other.kernels()[0],
  })
})

test('a task that kills its process is buried with its last words, and its neighbours complete', async () => {
  const fleet = await makeFleet({ concurrency: 6 })
  const [poison = ''] = idsOf(await fleet.client.enqueueMany('poison', times(1)))
  const bystanders = idsOf(await fleet.client.enqueueMany('note', times(5)))
  const worker = await fleet.work()
  // Two losses in company, then alone in two children.
  await until(() => fleet.ledger().filter(({ id }) => id === poison).length === 2, {
    timeout: 60_000,
  })
  fleet.openGate()
  expect(await fleet.ended([poison, ...bystanders])).toEqual([
    'dead',
    ...bystanders.map(() => 'completed'),
  ])
  const deaths = fleet.ledger().filter(({ id }) => id === poison)
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
