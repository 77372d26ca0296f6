import { expect, vi } from 'vitest'
import type { EnqueuedTask } from '../../src/core/enqueuer.js'
import { testPrefix, testRedisUrl, until } from '../support/redis.js'
import { account } from './rig/account.js'
import { type Caller, startCaller } from './rig/caller.js'
import { fakedTime, faketime, monotonic, type WrongClock, wrongClock } from './rig/clocks.js'
import { experiment } from './rig/experiment.js'
import { type Fleet, makeFleet } from './rig/fleet.js'
import { startLoad } from './rig/load.js'

vi.setConfig({ testTimeout: 120_000 })

// Redis and the tests have the right time; workers and producers are told another.
const hour = 3_600_000
const tenSeconds = 10_000
const minute = 60_000
const lease = 1000
/** A lease is renewed at least each quarter of it, so that a killed worker's runs so much longer. */
const renewal = lease / 4
/** ms between two clocks that are read one after the other. */
const tolerance = 20
/** ms that a busy machine may take to what should come in one second. */
const farOff = 20_000
const concurrency = 4

/** Enqueues in one of three ways, two of them in processes whose clock is wrong. */
type Enqueue = (
  type: string,
  payload: object,
  options?: Readonly<Record<string, string | number>>,
) => Promise<Pick<EnqueuedTask, 'id' | 'runAt' | 'state'>>

const byHttp =
  (url: string): Enqueue =>
  async (type, payload, options = {}) => {
    const words = new URLSearchParams(
      Object.entries(options).map(([name, value]): [string, string] => [name, `${value}`]),
    )
    const answer = await fetch(`${url}/enqueue/${type}?${words}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payload),
    })
    const body = (await answer.json()) as EnqueuedTask & { taskId: string }
    if (answer.status !== 202) throw new Error(JSON.stringify(body))
    return { ...body, id: body.taskId }
  }

const byCaller =
  (caller: Caller): Enqueue =>
  async (...call) =>
    (await caller.enqueue(...call)).task

const byClient =
  ({ client }: Fleet): Enqueue =>
  (...call) =>
    client.enqueue(...call)

const redisOf = () => ({ url: testRedisUrl(), prefix: testPrefix() })

/** Completed tasks are kept for less than the clocks are wrong, and in one queue for no time at all. */
const queues = {
  default: { concurrency, retention: { completed: { age: '30m', count: 1_000_000 } } },
  brief: { concurrency, retention: { completed: { age: '1s', count: 1_000_000 } } },
}

/** `5:30 pm`, of an instant in UTC. */
const asText = (at: number) =>
  new Date(at).toLocaleTimeString('en-US', { timeZone: 'UTC', timeStyle: 'short' }).toLowerCase()

/** The next moment, from now, at which a clock in UTC shows the same minute as at `at`. */
const nextOf = (at: number, now: number) => {
  const day = 24 * hour
  const shown = Math.floor(at / minute) * minute
  return shown > now ? shown : shown + day
}

/** What text, ISO and duration come to, whatever the clock of whom they are given to. */
async function readsTimes(enqueue: Enqueue, cancel: (id: string) => Promise<unknown>) {
  const inHalfAnHour = Date.now() + 30 * minute
  const halfAnHourAgo = Date.now() - 30 * minute
  const soon = new Date(Date.now() + 20 * minute).toISOString()
  const told: [Readonly<Record<string, string>>, (now: number) => number][] = [
    [{ runAt: 'in 2 hours' }, (now) => now + 2 * hour],
    [{ runAt: '90m' }, (now) => now + 90 * minute],
    [{ delay: '40m' }, (now) => now + 40 * minute],
    [{ runAt: soon }, () => Date.parse(soon)],
    [{ runAt: asText(inHalfAnHour), tz: 'UTC' }, (now) => nextOf(inHalfAnHour, now)],
    [{ runAt: asText(halfAnHourAgo), tz: 'UTC' }, (now) => nextOf(halfAnHourAgo, now)],
  ]
  for (const [options, due] of told) {
    const before = Date.now()
    const { id, runAt = '', state } = await enqueue('note', { n: -1 }, options)
    const after = Date.now()
    expect({ options, state }).toEqual({ options, state: 'scheduled' })
    // Text names a second at the finest.
    expect(Date.parse(runAt), JSON.stringify(options)).toBeGreaterThanOrEqual(due(before) - 1000)
    expect(Date.parse(runAt), JSON.stringify(options)).toBeLessThanOrEqual(due(after) + tolerance)
    expect(await cancel(id)).toMatchObject({ ok: true })
  }
}

/** Starts since `from` by the numbers of their tasks. */
const startsOf = (fleet: Fleet, numbers: readonly number[]) =>
  fleet.ledger.starts().filter(({ n }) => numbers.includes(n))

/** Ids that began the same attempt more than once. */
function startsTwice(fleet: Fleet): string[] {
  const seen = new Set<string>()
  const twice: string[] = []
  for (const { id, attempt } of fleet.ledger.starts()) {
    const name = `${id} ${attempt}`
    if (seen.has(name)) twice.push(name)
    seen.add(name)
  }
  return twice
}

/** Resolves with the ms after its time at which each of the tasks began; none did before. */
async function lateness(fleet: Fleet, due: ReadonlyMap<number, number>): Promise<number[]> {
  const numbers = [...due.keys()]
  await until(() => startsOf(fleet, numbers).length >= due.size, { timeout: 60_000 })
  const toWall = Date.now() - monotonic()
  const starts = startsOf(fleet, numbers)
  expect(starts).toHaveLength(due.size)
  const late = starts.map(({ n, at }) => at + toWall - (due.get(n) ?? 0))
  expect(Math.min(...late)).toBeGreaterThanOrEqual(-tolerance)
  expect(Math.max(...late)).toBeLessThan(farOff)
  return late
}

/** Enqueues one task in each way that says a time, and resolves with when they are due. */
async function enqueueDue(ways: readonly Enqueue[], from: number): Promise<Map<number, number>> {
  const due = new Map<number, number>()
  let n = from
  for (const enqueue of ways) {
    const at = Date.now() + 2000
    const options = [
      { delay: '2s' },
      { runAt: new Date(at).toISOString() },
      { runAt: at },
      { runAt: 'in 3 seconds' },
    ]
    for (const each of options) {
      const { runAt = '' } = await enqueue('note', { n }, each)
      due.set(n++, Date.parse(runAt))
    }
  }
  return due
}

/** Tasks expire after their time and no sooner; what may wait longer does. */
async function expires(fleet: Fleet, ways: readonly Enqueue[], from: number) {
  const queue = 'brief'
  await fleet.operator.pause(queue)
  const began = Date.now()
  const enqueue = (expiresIn: string, first: number) =>
    Promise.all(ways.map((way, i) => way('note', { n: first + i }, { expiresIn, queue })))
  const brief = idsOf(await enqueue('1s', from))
  const patient = idsOf(await enqueue('20m', from + 10))
  expect(await fleet.ended(brief)).toEqual(brief.map(() => 'dead'))
  expect(Date.now() - began).toBeGreaterThanOrEqual(1000 - tolerance)
  const dead = await fleet.client.task(brief[0] ?? '')
  expect(dead?.attempts.at(-1)?.error).toMatchObject({ code: 'expired' })
  await fleet.operator.resume(queue)
  const numbers = ways.map((_, i) => from + 10 + i)
  await until(() => startsOf(fleet, numbers).length === ways.length)
  // They are gone a second later: whoever prunes does so, by Redis's clock.
  const kept = async () => await Promise.all(patient.map((id) => fleet.client.task(id)))
  await until(async () => (await kept()).every((task) => task === undefined), { timeout: farOff })
}

/** A second attempt comes when the policy or the handler says, and no sooner. */
async function retries(fleet: Fleet, enqueue: Enqueue, n: number) {
  const made = [await enqueue('again', { n }), await enqueue('again', { n: n + 1, ms: 2000 })]
  expect(await fleet.ended(made.map(({ id }) => id))).toEqual(['completed', 'completed'])
  for (const each of [n, n + 1]) {
    const [first, second, ...more] = startsOf(fleet, [each])
    expect(more).toEqual([])
    const waited = (second?.at ?? 0) - (first?.at ?? 0)
    expect(waited).toBeGreaterThanOrEqual(2000 - tolerance)
    expect(waited).toBeLessThan(farOff)
  }
}

const idsOf = (tasks: readonly { readonly id: string }[]) => tasks.map(({ id }) => id)
const times = (count: number, from: number) =>
  Array.from({ length: count }, (_, i) => ({ n: from + i }))

interface Wrong {
  readonly says: string
  /** ms that each worker is ahead; the first one is killed. */
  readonly workers: readonly [number, number]
  /** The same of a producer over HTTP, and of one in a process of its own. */
  readonly producers: readonly [number, number]
  readonly library?: string
}

/** Kills the first worker; resolves with ms until the second began what it was running. */
async function rescues(fleet: Fleet, doomed: { pid: number; stop(): void }, other: number) {
  const before = fleet.ledger.starts().filter(({ n }) => n >= 100 && n < 200)
  const lost = before.filter(({ pid }) => pid === doomed.pid).map(({ id }) => id)
  expect(lost).toHaveLength(concurrency)
  const killed = monotonic()
  doomed.stop()
  const isAgain = ({ id, pid }: { id: string; pid: number }) => lost.includes(id) && pid === other
  await fleet.openGate()
  await until(() => fleet.ledger.starts().filter(isAgain).length === lost.length, {
    timeout: 60_000,
  })
  const again = fleet.ledger.starts().filter(isAgain)
  const sooner = Math.min(...again.map(({ at }) => at)) - killed
  expect(sooner).toBeGreaterThanOrEqual(lease - renewal - tolerance)
  return Math.max(...again.map(({ at }) => at)) - killed
}

async function withWrongClocks({ workers, producers, library }: Wrong) {
  const redis = redisOf()
  const fleet = await makeFleet({ redis, concurrency, lease: `${lease}ms`, config: { queues } })
  const envOf = async (ahead: number) =>
    library === undefined ? (await wrongClock(ahead)).env : fakedTime(library, ahead)
  const [mine, others] = [await envOf(workers[0]), await envOf(workers[1])]
  const theirs = await envOf(producers[0])
  const [doomed, other, { url }] = await Promise.all([
    fleet.work({ env: mine }),
    fleet.work({ env: others }),
    fleet.produce({ env: theirs }),
  ])
  const caller = startCaller({ redis, env: await envOf(producers[1]) })
  const ways = [byHttp(url), byCaller(caller), byClient(fleet)]
  const overHttp = byHttp(url)
  // The clocks are wrong indeed, or all this says nothing.
  const { clock, task: oldest } = await caller.enqueue('note', { n: 0 })
  expect(Math.abs(clock - Date.now() - producers[1])).toBeLessThan(4000)
  for (const [worker, ahead] of [[doomed, workers[0]] as const, [other, workers[1]] as const]) {
    const said = Number(/"time":(\d+),.*"msg":"RedisDistro is ready"/.exec(worker.output())?.[1])
    expect(Math.abs(said - Date.now() - ahead)).toBeLessThan(9000)
  }
  await fleet.ended([oldest.id])

  // As many as both can run at one time, and held for the whole while.
  const held = await Promise.all(
    times(2 * concurrency, 100).map((payload) => overHttp('gated', payload)),
  )
  const running = () => fleet.ledger.starts().filter(({ n }) => n >= 100 && n < 200)
  await until(() => running().length === held.length, { timeout: 30_000 })
  for (const enqueue of ways) await readsTimes(enqueue, (id) => fleet.client.cancel(id))
  await expires(fleet, ways, 300)
  // Leases have been renewed for several times their length, and nobody was taken for dead.
  expect(running()).toHaveLength(held.length)

  const [pid = 0] = doomed.kernels()
  const stop = () => {
    doomed.child.kill('SIGSTOP')
    process.kill(pid, 'SIGKILL')
  }
  const recovery = await rescues(fleet, { pid, stop }, other.kernels()[0] ?? 0)
  expect(await fleet.ended(held.map(({ id }) => id))).toEqual(held.map(() => 'completed'))
  expect(running()).toHaveLength(held.length + concurrency)

  const due = await enqueueDue(ways, 400)
  const [late] = await Promise.all([lateness(fleet, due), retries(fleet, overHttp, 500)])
  const { twice } = await account(fleet, new Set())
  expect(twice).toBe(0)
  expect(await fleet.client.task(oldest.id)).toMatchObject({ state: 'completed' })
  return { recovery, late, tasks: held.length + due.size }
}

const wrong = (
  says: string,
  workers: readonly [number, number],
  producers: readonly [number, number],
): Wrong => ({ says, workers, producers })

const mixed = wrong('one of each ahead and one behind by 1 h', [hour, -hour], [hour, -hour])

const longRound = [
  mixed,
  wrong('all ahead by 1 h', [hour, hour], [hour, hour]),
  wrong('all behind by 1 h', [-hour, -hour], [-hour, -hour]),
  wrong(
    'workers ahead by 10 s, producers behind',
    [tenSeconds, tenSeconds],
    [-tenSeconds, -tenSeconds],
  ),
  wrong(
    'workers behind by 10 s, producers ahead',
    [-tenSeconds, -tenSeconds],
    [tenSeconds, tenSeconds],
  ),
]

/** Both directions by libfaketime, where there is one. */
const fakedRound =
  faketime === undefined
    ? []
    : longRound.slice(0, 3).map((each) => ({ ...each, library: faketime ?? '' }))

experiment<readonly Wrong[]>(
  {
    fault: 'clocks of workers and producers 1 h or 10 s off, either way',
    short: [mixed],
    long: [...longRound, ...fakedRound],
  },
  async (rounds, progress) => {
    let recovery = 0
    let late = 0
    let acknowledged = 0
    for (const round of rounds) {
      progress(round.library === undefined ? round.says : `${round.says}, by libfaketime`)
      const found = await withWrongClocks(round)
      recovery = Math.max(recovery, found.recovery)
      late = Math.max(late, ...found.late)
      acknowledged += found.tasks
    }
    const seen = `due tasks began 0 to ${Math.ceil(late)} ms after their time; none expired, was pruned or tried again early`
    const again = 'what the killed worker had'
    return { acknowledged, lost: 0, twice: 0, again, recovery, lease, seen }
  },
)

interface Jumps {
  /** ms ahead, one after the other. */
  readonly to: readonly number[]
  readonly rate: number
}

/** Resolves with what a producer enqueued in the new time. */
async function jumpTo(ahead: number, clocks: readonly WrongClock[], caller: Caller) {
  for (const clock of clocks) clock.set(ahead)
  return await until(async () => {
    const { clock, task } = await caller.enqueue('note', { n: -2 })
    return Math.abs(clock - Date.now() - ahead) < 5000 && task.id
  })
}

experiment<Jumps>(
  {
    fault: 'clocks of workers and producers that jump by hours while they run',
    short: { to: [hour], rate: 200 },
    long: { to: [hour, 0, -hour, hour, -hour, 0, 10_000, -10_000, 0], rate: 400 },
  },
  async ({ to, rate }, progress) => {
    const redis = redisOf()
    const fleet = await makeFleet({ redis, concurrency, lease: `${lease}ms`, config: { queues } })
    const clocks = [await wrongClock(0), await wrongClock(0)]
    const [workers, producers] = [clocks[0]?.env ?? {}, clocks[1]?.env ?? {}]
    const [, , { url }] = await Promise.all([
      fleet.work({ env: workers }),
      fleet.work({ env: workers }),
      fleet.produce({ env: producers }),
    ])
    const caller = startCaller({ redis, env: producers })
    const ways = [byHttp(url), byCaller(caller)]
    const held = await Promise.all(
      times(concurrency, -100).map(({ n }) => fleet.client.enqueue('gated', { n })),
    )
    const running = () => fleet.ledger.starts().filter(({ n }) => n <= -97 && n >= -100)
    await until(() => running().length === held.length)
    const load = startLoad(fleet.client, { rate, task: (n) => ({ type: 'note', payload: { n } }) })
    let late = 0
    let from = 1_000_000
    for (const ahead of to) {
      progress(`to ${ahead / 1000} s`)
      // Those are waited for while the clocks jump, and longer than a lease.
      const due = await enqueueDue(ways, from)
      const told = await fleet.client.task(await jumpTo(ahead, clocks, caller))
      // A producer tells the time as Redis has it.
      expect(Math.abs(Date.parse(told?.enqueuedAt ?? '') - Date.now())).toBeLessThan(minute)
      for (const enqueue of ways) await readsTimes(enqueue, (id) => fleet.client.cancel(id))
      const [took] = await Promise.all([
        lateness(fleet, due),
        retries(fleet, byHttp(url), from + 100),
      ])
      late = Math.max(late, ...took)
      from += 1000
    }
    await load.stop()
    expect(running()).toHaveLength(held.length)
    await fleet.openGate()
    const { acknowledged, lost } = await account(fleet, load.acknowledged)
    expect({ lost, refused: load.refused.size, held: running().length }).toEqual({
      lost: 0,
      refused: 0,
      held: held.length,
    })
    const again = startsTwice(fleet)
    expect(again).toEqual([])
    const seen = `due tasks began 0 to ${Math.ceil(late)} ms after their time`
    return { acknowledged, lost, twice: again.length, lease, seen }
  },
)
