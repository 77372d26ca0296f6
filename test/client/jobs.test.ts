import { afterEach, beforeEach, expect, test } from 'vitest'
import { jobLease, runJob } from '../../src/client/job-run.js'
import { systemClock } from '../../src/core/clock.js'
import { RedisStage, to } from './redis-stage.js'

let stage: RedisStage
beforeEach(async () => {
  stage = new RedisStage()
  await stage.open()
  await stage.join()
})
afterEach(() => stage.close())

async function bury(count: number, message?: string): Promise<void> {
  await stage.client.enqueueMany(
    'email',
    Array.from({ length: count }, (_, n) => to(n)),
  )
  await stage.bury(count, message)
  stage.now += 1000
}

const parts = (holder: string, signal = new AbortController().signal) => {
  const { broker, directory } = stage
  return { broker, directory, clock: systemClock, holder, signal }
}

/** Takes the next job and does it. */
async function work(holder: string, signal?: AbortSignal): Promise<void> {
  const job = await stage.broker.takeJob(holder, jobLease)
  if (job === undefined) throw new Error('there is no job to take')
  await runJob(job, parts(holder, signal))
}

const depth = async () => (await stage.operator.queue('main')).depth

test('a job sends again what its filter means, and tells how far it is', async () => {
  await bury(250, 'mailbox full')
  await bury(30, 'no route')
  const job = await stage.operator.startRequeue('dead', { error: 'full' }, '100000/s')
  expect(job).toMatchObject({ kind: 'requeue', state: 'running', held: false, done: 0 })
  await work('one')
  expect(await stage.operator.job(job.id)).toMatchObject({
    ...{ state: 'done', done: 250, skipped: 0, filter: { error: 'full' }, rate: '100000/s' },
    ...{ startedAt: job.startedAt, endedAt: job.startedAt, held: false },
  })
  expect(await depth()).toMatchObject({ waiting: 250, dead: 30 })
  expect(await stage.broker.takeJob('two', jobLease)).toBeUndefined()
})

test('what died after it began is left, and an age is counted from then', async () => {
  await bury(5)
  stage.now += 3_600_000
  await bury(4)
  const job = await stage.operator.startRequeue('dead', { olderThan: 1_800_000 }, undefined)
  const young = await stage.operator.startRequeue('dead', { newerThan: 1_800_000 }, undefined)
  stage.now += 3_600_000
  await bury(3)
  await work('one')
  await work('one')
  expect(await stage.operator.job(job.id)).toMatchObject({ state: 'done', total: 5, done: 5 })
  expect(await stage.operator.job(young.id)).toMatchObject({ state: 'done', total: 4, done: 4 })
  expect(await depth()).toMatchObject({ waiting: 9, dead: 3 })
})

/** Does `meanwhile` when the broker is about to be asked to requeue for the second time. */
function beforeSecondRequeue(meanwhile: () => Promise<void>): void {
  const { broker } = stage
  const requeue = broker.requeue.bind(broker)
  let calls = 0
  broker.requeue = async (...call) => {
    calls += 1
    if (calls === 2) await meanwhile()
    return await requeue(...call)
  }
}

test('a letter that a person sent again and that died anew meanwhile is left', async () => {
  await bury(3)
  const { id } = await stage.operator.startRequeue('dead', {}, '10/s')
  const listed = (await stage.operator.deadLetter('dead', {})).items.map((task) => task.id)
  const [first = '', second = ''] = listed
  beforeSecondRequeue(async () => {
    stage.now += 1000
    await stage.operator.requeue(second)
    await stage.bury(2, 'again')
  })
  await work('one')
  expect(await stage.operator.job(id)).toMatchObject({ state: 'done', done: 2, skipped: 1 })
  expect(await depth()).toMatchObject({ waiting: 1, dead: 2 })
  const dead = (await stage.operator.deadLetter('dead', { error: 'again' })).items
  expect(new Set(dead.map((task) => task.id))).toEqual(new Set([first, second]))
})

test('where its kernel dies another goes on behind it, and does nothing twice', async () => {
  await bury(350)
  const job = await stage.operator.startRequeue('dead', {}, undefined)
  const dying = await stage.broker.takeJob('dying', jobLease)
  if (dying === undefined) throw new Error('a job was expected')
  // Its second word does not arrive any more.
  let words = 0
  const { broker } = stage
  const keepJob: typeof broker.keepJob = async (held, call) => {
    words += 1
    if (words > 3) throw new Error('killed')
    return await broker.keepJob(held, call)
  }
  const mute = new Proxy(broker, {
    get: (target, name) =>
      name === 'keepJob' ? keepJob : (Reflect.get(target, name) as () => unknown).bind(target),
  })
  await expect(runJob(dying, { ...parts('dying'), broker: mute })).rejects.toThrow('killed')
  expect(await depth()).toMatchObject({ waiting: 200, dead: 150 })
  expect(await stage.broker.takeJob('next', jobLease)).toBeUndefined()
  stage.now += jobLease
  await work('next')
  const ended = await stage.operator.job(job.id)
  // What the dead one did and had not told is not counted.
  expect(ended).toMatchObject({ state: 'done', total: 350, done: 250, skipped: 0 })
  expect(await depth()).toMatchObject({ waiting: 350, dead: 0 })
  // One that was only slow hears that it has lost it.
  const late = { holder: 'dying', lease: jobLease, state: 'running', progress: dying } as const
  expect(await stage.broker.keepJob(dying, late)).toBe('lost')
})

test('where another goes on that has its queues in another order, none is left out', async () => {
  await bury(4)
  const { id } = await stage.operator.startRequeue('dead', {}, undefined)
  const held = await stage.broker.takeJob('one', jobLease)
  if (held === undefined) throw new Error('a job was expected')
  const leaving = new AbortController()
  const { list } = stage.broker
  stage.broker.list = (...call) => {
    leaving.abort()
    return list.apply(stage.broker, call)
  }
  const queues = async () => (await stage.directory.queues()).toReversed()
  const directory = { ...stage.directory, queues }
  await runJob(held, { ...parts('one', leaving.signal), directory })
  await work('two')
  expect(await stage.operator.job(id)).toMatchObject({ state: 'done', total: 4, done: 4 })
  expect(await depth()).toMatchObject({ waiting: 4, dead: 0 })
})

test('it keeps to its rate, ends when it is stopped, and goes on when it is given up', async () => {
  await bury(40)
  const job = await stage.operator.startRequeue('dead', {}, '10/s')
  const leaving = new AbortController()
  const first = work('one', leaving.signal)
  const told = async () => (await stage.operator.job(job.id))?.done ?? 0
  await expect.poll(told, { interval: 5, timeout: 5000 }).toBeGreaterThan(1)
  leaving.abort()
  await first
  expect(await told()).toBeLessThan(20)
  expect(await stage.operator.job(job.id)).toMatchObject({ state: 'running', held: false })
  const second = work('two')
  await expect
    .poll(async () => (await stage.operator.job(job.id))?.held, { interval: 5, timeout: 5000 })
    .toBe(true)
  expect(await stage.operator.stopJob(job.id)).toMatchObject({ state: 'running', stopping: true })
  await second
  const ended = await stage.operator.job(job.id)
  expect(ended).toMatchObject({ state: 'stopped', endedAt: expect.any(String) })
  expect(ended).not.toHaveProperty('stopping')
  expect(await stage.operator.stopJob(job.id)).toEqual(ended)
  expect(await stage.operator.stopJob('nobody')).toBeUndefined()
  expect((await depth()).dead).toBeGreaterThan(20)
})

test('one that finds nothing heeds a shutdown and a stop at the next page', async () => {
  await bury(800)
  const { broker, operator } = stage
  const job = await operator.startRequeue('dead', { error: 'nothing' }, undefined)
  const list = broker.list.bind(broker)
  let pages = 0
  const atPage = (page: number, then: () => unknown) => {
    pages = 0
    broker.list = async (...call) => {
      pages += 1
      if (pages === page) await then()
      return await list(...call)
    }
  }
  const leaving = new AbortController()
  atPage(3, () => leaving.abort())
  await work('one', leaving.signal)
  expect(pages).toBe(3)
  expect(await operator.job(job.id)).toMatchObject({ state: 'running', held: false })
  atPage(2, () => operator.stopJob(job.id))
  await work('two')
  expect(pages).toBe(2)
  expect(await operator.job(job.id)).toMatchObject({ state: 'stopped', done: 0 })
})

test('one that waits for its rate heeds a shutdown at once, and a stop within a second', async () => {
  await bury(3)
  const { operator } = stage
  const job = await operator.startRequeue('dead', {}, '1/h')
  const waits = async () => (await operator.job(job.id))?.done === 1
  const leaving = new AbortController()
  const first = work('one', leaving.signal)
  await expect.poll(waits, { interval: 5, timeout: 5000 }).toBe(true)
  leaving.abort()
  await first
  expect(await operator.job(job.id)).toMatchObject({ state: 'running', held: false, done: 1 })
  const second = work('two')
  const taken = async () => (await operator.job(job.id))?.held
  await expect.poll(taken, { interval: 5, timeout: 5000 }).toBe(true)
  await operator.stopJob(job.id)
  await second
  expect(await operator.job(job.id)).toMatchObject({ state: 'stopped', done: 1 })
})

test('its rate does not begin anew with each kernel that takes it', async () => {
  await bury(3)
  const { broker, operator } = stage
  const { id } = await operator.startRequeue('dead', {}, '1/h')
  const keepJob = broker.keepJob.bind(broker)
  for (const holder of ['one', 'two', 'three']) {
    const leaving = new AbortController()
    // Given up with its first word behind those that it says before the first has gone.
    broker.keepJob = async (job, call) => {
      if (call.progress.done > 0) leaving.abort()
      return await keepJob(job, call)
    }
    await work(holder, leaving.signal)
    expect(await operator.job(id)).toMatchObject({ state: 'running', held: false, done: 1 })
  }
  // By then the next may go.
  stage.now += 3_600_000
  const leaving = new AbortController()
  broker.keepJob = async (job, call) => {
    if (call.progress.done > 1) leaving.abort()
    return await keepJob(job, call)
  }
  await work('four', leaving.signal)
  expect(await operator.job(id)).toMatchObject({ state: 'running', held: false, done: 2 })
})

test('one that was asked to stop and is given up has stopped, though nobody takes it anew', async () => {
  await bury(3)
  const { operator } = stage
  const job = await operator.startRequeue('dead', {}, '1/h')
  const leaving = new AbortController()
  const first = work('one', leaving.signal)
  const waits = async () => (await operator.job(job.id))?.done === 1
  await expect.poll(waits, { interval: 5, timeout: 5000 }).toBe(true)
  await operator.stopJob(job.id)
  leaving.abort()
  await first
  const ended = await operator.job(job.id)
  expect(ended).toMatchObject({ state: 'stopped', held: false, endedAt: expect.any(String) })
  expect(ended).not.toHaveProperty('stopping')
  expect(await stage.broker.takeJob('two', jobLease)).toBeUndefined()
})

test('one that another has taken by the time it ends is left to that one', async () => {
  await bury(1)
  const { broker, operator } = stage
  const job = await operator.startRequeue('dead', {}, undefined)
  const slow = await broker.takeJob('slow', jobLease)
  if (slow === undefined) throw new Error('a job was expected')
  broker.requeue = async () => {
    stage.now += jobLease
    await broker.takeJob('next', jobLease)
    throw new Error('no more')
  }
  await runJob(slow, parts('slow'))
  expect(await operator.job(job.id)).toMatchObject({ state: 'running', held: true })
})

test('one that nobody has taken is stopped at once, and one that cannot be done has failed', async () => {
  const first = await stage.operator.startRequeue('dead', {}, '1/h')
  expect(await stage.operator.stopJob(first.id)).toMatchObject({ state: 'stopped' })
  await bury(1)
  const second = await stage.operator.startRequeue('dead', {}, undefined)
  stage.broker.requeue = () => Promise.reject(new Error('no more'))
  await work('one')
  expect(await stage.operator.job(second.id)).toMatchObject({ state: 'failed', error: 'no more' })
})

test('an unknown queue, what is no rate and what is too long are refused before there is a job', async () => {
  const none = stage.operator.startRequeue('dead', { queue: 'nowhere' }, '5/s')
  await expect(none).rejects.toMatchObject({ code: 'unknown_queue' })
  const fast = stage.operator.startRequeue('dead', {}, 'fast')
  await expect(fast).rejects.toMatchObject({ code: 'bad_option', issues: [{ path: 'rate' }] })
  const long = stage.operator.startRequeue('dead', { error: 'x'.repeat(1001) }, undefined)
  await expect(long).rejects.toMatchObject({ code: 'bad_option', issues: [{ path: 'error' }] })
  expect(await stage.operator.jobs()).toEqual([])
})

test('a hundred are remembered, the running ones first of all', async () => {
  const start = () => stage.operator.startRequeue('dead', {}, undefined)
  const kept = await start()
  const ended = await start()
  await stage.operator.stopJob(ended.id)
  for (let n = 0; n < 99; n++) await start()
  const ids = (await stage.operator.jobs()).map(({ id }) => id)
  expect(ids).toHaveLength(100)
  expect(ids).toContain(kept.id)
  expect(ids).not.toContain(ended.id)
  await expect(start()).rejects.toMatchObject({ code: 'too_many_requests' })
})

test('a purge says first what it would take, and takes nothing', async () => {
  await bury(12, 'mailbox full')
  const first = stage.now - 1000
  stage.now += 3_600_000
  await bury(3, 'no route')
  const iso = (ms: number) => new Date(ms).toISOString()
  const all = await stage.operator.previewPurge('dead', {})
  expect(all).toMatchObject({ wouldPurge: 15, oldest: iso(first), newest: iso(stage.now - 1000) })
  expect(new Set(all.sample).size).toBe(10)
  const old = { wouldPurge: 12, oldest: iso(first), newest: iso(first) }
  expect(await stage.operator.previewPurge('dead', { olderThan: 60_000 })).toMatchObject(old)
  expect(await stage.operator.previewPurge('dead', { error: 'full' })).toMatchObject(old)
  const none = { wouldPurge: 0, oldest: null, newest: null, sample: [] }
  expect(await stage.operator.previewPurge('dead', { type: 'image' })).toEqual(none)
  expect(await stage.operator.previewPurge('nothing', {})).toEqual(none)
  expect(await stage.operator.deadLetters()).toEqual([{ key: 'dead', count: 15 }])
  expect(await stage.operator.purgeDead('dead', { olderThan: 60_000 })).toBe(12)
  const { items } = await stage.operator.deadLetter('dead', { newerThan: 60_000 })
  expect(items).toHaveLength(3)
  expect((await stage.operator.deadLetter('dead', { olderThan: 60_000 })).items).toEqual([])
})
