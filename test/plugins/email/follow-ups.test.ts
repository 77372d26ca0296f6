import { createKernel, type PluginClient, type Task } from 'redisdistro'
import email from 'redisdistro/plugins/email'
import { expect, onTestFinished, test } from 'vitest'
import { keepingLog, kernelOf, testConfig } from '../../kernel/stage.js'
import { until } from '../../support/redis.js'
import { failureOf, hello, setUpWithServer } from './harness.js'
import { type SinkReplies, startSmtpSink } from './smtp-sink.js'

/** A running kernel whose mails go to a real SMTP server that replies as told. */
async function running(replies: SinkReplies) {
  const sink = await startSmtpSink(replies)
  onTestFinished(() => sink.stop())
  const plugin = email({ from: 'app@example.org', smtp: sink.url })
  const config = testConfig({
    plugins: [plugin],
    queues: { bulk: {} },
    tasks: { email: { retry: { delay: '1ms' } } },
    http: false,
  })
  const kernel = await kernelOf(config)
  await kernel.start()
  const ended = (id: string): Promise<Task> =>
    until(async () => {
      const task = await kernel.client.task(id)
      return task?.endedAt !== undefined && task
    })
  return { sink, kernel, config, ended }
}

test('each refused recipient goes on as a task of its own, and the others get no second mail', async () => {
  let busy = true
  const { sink, kernel, ended } = await running({
    onRecipient(address) {
      if (address.startsWith('cid')) return '550 5.1.1 cid has left'
      if (!address.startsWith('bob') || !busy) return undefined
      busy = sink.received.length === 0
      return '450 4.2.0 bob is busy'
    },
  })
  const to = ['ann@example.com', 'bob@example.com']
  const mail = { ...hello, to, cc: 'cid@example.com', bcc: 'dee@example.com' }
  const { id } = await kernel.client.enqueue('email', mail, { queue: 'bulk' })
  const { state, result } = (await ended(id)) as Task & {
    result: { accepted: string[]; rejected: string[]; followUps: string[] }
  }
  expect(state).toBe('completed')
  expect(result.accepted).toEqual(['ann@example.com', 'dee@example.com'])
  expect(result.rejected).toEqual(['bob@example.com', 'cid@example.com'])
  const [bob = '', cid = ''] = result.followUps
  expect(await ended(bob)).toMatchObject({
    state: 'completed',
    queue: 'bulk',
    payload: { ...hello, to: ['bob@example.com'] },
  })
  const buried = await ended(cid)
  expect(buried).toMatchObject({ state: 'dead', attempt: 1 })
  expect(buried.attempts[0]?.error?.message).toContain('550 5.1.1 cid has left')
  expect(sink.received.map((mail) => mail.to)).toEqual([
    ['ann@example.com', 'dee@example.com'],
    ['bob@example.com'],
  ])
  expect(sink.received[1]?.mail.cc).toBeUndefined()
  const depth = (await kernel.operator.stats()).depth
  expect(depth).toMatchObject({ completed: 2, dead: 1, waiting: 0, retryable: 0 })
})

test('two kernels of one plugin value follow up also when the newer has stopped', async () => {
  const { kernel, config, ended } = await running({
    onRecipient: (address) => (address.startsWith('bob') ? '550 5.1.1 gone' : undefined),
  })
  const other = await createKernel(config, { env: {}, log: keepingLog() })
  await other.start({ roles: ['producer'] })
  await other.stop()
  const mail = { ...hello, to: ['ann@example.com', 'bob@example.com'] }
  const { id } = await kernel.client.enqueue('email', mail)
  expect(await ended(id)).toMatchObject({ state: 'completed', attempt: 1 })
})

const bobHasLeft: SinkReplies = {
  onRecipient: (to) => (to.startsWith('bob') ? '550 5.1.1 bob has left' : undefined),
}
const two = { ...hello, to: ['ann@example.com', 'bob@example.com'] }

/** A client that answers each enqueue as told, and keeps what it was asked. */
function asking(answer: () => Promise<unknown>) {
  const calls: unknown[][] = []
  const enqueue = (...call: unknown[]) => {
    calls.push(call)
    return answer()
  }
  return { calls, client: { enqueue } as unknown as PluginClient }
}

test('a second attempt makes the same follow-up, so that there is one', async () => {
  const { calls, client } = asking(async () => ({ id: 'some' }))
  const { send, lines } = await setUpWithServer(bobHasLeft, '', client)
  await send(two, { attempt: 1 })
  await send(two, { attempt: 2 })
  await send(two, { taskId: 'task-2' })
  expect(calls[1]).toEqual(calls[0])
  expect(calls[0]?.[2]).toEqual({
    taskId: expect.stringMatching(/^email-[0-9a-f]{32}$/),
    queue: 'default',
  })
  expect(calls[2]).not.toEqual(calls[0])
  const warning = lines.find(({ level }) => level === 'warn')
  expect(warning?.fields).toEqual({
    rejected: ['bob@example.com'],
    replies: [expect.stringContaining('550 5.1.1 bob has left')],
  })
})

test('a follow-up that cannot be enqueued fails the attempt with who was refused and why', async () => {
  const { client } = asking(() => Promise.reject(new Error('Redis is away')))
  const { send } = await setUpWithServer(bobHasLeft, '', client)
  const { message } = await failureOf(send(two))
  expect(message).toMatch(/refused bob@example\.com \(550 5\.1\.1 bob has left\).*Redis is away/)
})

test('where there is nothing to enqueue with, the attempt fails and names the refused', async () => {
  const { send } = await setUpWithServer(bobHasLeft)
  const { message } = await failureOf(send(two))
  expect(message).toMatch(/refused bob@example\.com .*nothing here to enqueue with/)
})

test('a task that was called off meanwhile makes no follow-up', async () => {
  const { calls, client } = asking(async () => ({ id: 'some' }))
  const ending = new AbortController()
  const replies = {
    ...bobHasLeft,
    beforeAnswer: async () => ending.abort(new Error('called off')),
  }
  const { send } = await setUpWithServer(replies, '', client)
  await failureOf(send(two, { signal: ending.signal }))
  expect(calls).toEqual([])
})
