import { Redis } from 'ioredis'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Operator } from '../../src/client/operator.js'
import { systemClock } from '../../src/core/clock.js'
import { type State, states } from '../../src/core/state.js'
import { fc } from '../support/fuzz.js'
import { testRedisUrl } from '../support/redis.js'
import { error, Stage } from './stage.js'

const day = 86_400_000
let redis: Redis
beforeEach(() => {
  redis = new Redis(testRedisUrl())
  onTestFinished(() => redis.disconnect())
})

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const cut = (text: string) => fc.nat(text.length).map((end) => Buffer.from(text.slice(0, end)))
const instead = (text: string) =>
  fc.tuple(fc.nat(text.length - 1), bytes).map(([at, noise]) => {
    const whole = Buffer.from(text)
    return Buffer.concat([whole.subarray(0, at), noise, whole.subarray(at + 1)])
  })

const record = '=  user%3A1 1764000000000\njob mb0a1b2c\n{"n":1}\n{"overrides":{},"tags":["a"]}'
const rests = fc
  .json({ maxDepth: 3 })
  .map((json) => Buffer.from(`1\njob mb0a1b2c\n{"n":1}\n${json}`))
const payloads = fc.json({ maxDepth: 3 }).map((json) => Buffer.from(`1\njob ${json}\n${json}`))
const headers = fc
  .tuple(fc.constantFrom('1', '5', '9', '=', 'm', '_', '`', ' ', ''), fc.string(), fc.string())
  .map(([flags, a, b]) => Buffer.from(`${flags} ${a} ${b}\njob mb0a1b2c\n1`))

/** Anything but what is written there, or just beside it. */
const records = fc.oneof(bytes, cut(record), instead(record), rests, payloads, headers)

const history =
  '2 1 0 0\n{"n":1,"o":"retry","s":1764000000000,"e":1764000000001,"x":{"name":"E","message":"m"}}\n'
const lines = fc
  .array(fc.oneof(fc.json({ maxDepth: 2 }), fc.string()), { maxLength: 3 })
  .map((some) => Buffer.from(`1 0 0 0\n${some.join('\n')}`))
const longLine = fc.constant(Buffer.from(`1 0 0 0\n${'x'.repeat(70_000)}`))
const huge = fc.constant(Buffer.from(`${'9'.repeat(400)} 1 1 1\n`))
const histories = fc.oneof(bytes, cut(history), instead(history), lines, longLine, huge)

const result = '1764000000000 1\n{"ok":true}\n7'
const results = fc.oneof(bytes, cut(result), instead(result), huge)
const holder = '1764000000000000 4503599627370497 w1'
const holders = fc.oneof(bytes, cut(holder), instead(holder), fc.constant(Buffer.from('x y w1')))
const scores = fc.oneof(
  fc.double({ noNaN: true }),
  fc.constantFrom(Infinity, -Infinity, -1, 0.3, 1e300, 8.64e15 + 1),
)

/** What a person, a bug or a bad disk may have left of one task. */
const damage = fc.record({
  record: fc.option(records, { freq: 8 }),
  history: fc.option(histories),
  result: fc.option(results),
  progress: fc.option(bytes),
  holder: fc.option(holders),
  own: fc.option(bytes),
  score: fc.option(scores),
})
type Damage = typeof damage extends fc.Arbitrary<infer Value> ? Value : never

const kept = { age: 90 * day, count: 1000 }
const retention = { completed: kept, dead: kept, cancelled: kept }

const known = (task: { state: State } | undefined) =>
  task !== undefined && states.includes(task.state)

/** One task in each state, all of them damaged in the same way, with healthy ones around. */
class Ruin {
  readonly stage = new Stage({ url: testRedisUrl() })
  readonly ids: string[] = []
  readonly #operator = new Operator({
    broker: this.stage.broker,
    clock: systemClock,
    directory: {
      type: async () => undefined,
      published: async () => true,
      known: () => undefined,
      typeNames: async () => [],
      queues: async () => [{ queue: 'default', partitions: 1, former: [] }],
      former: async () => [],
      realName: (name) => name,
    },
  })

  key(name: string): string {
    return `${this.stage.prefix}:{default}:${name}`
  }

  async build(harm: Damage): Promise<void> {
    const { stage } = this
    await stage.open()
    // What waits comes last: it would be leased in place of the next.
    const inOrder = [...states.filter((state) => state !== 'waiting'), 'waiting'] as const
    for (const state of inOrder) {
      const own = { id: `own-${state}`, fingerprint: 'f' }
      this.ids.push((await stage.bring(state, own)).id)
    }
    for (const [i, state] of inOrder.entries()) await this.#damage(this.ids[i] ?? '', state, harm)
  }

  async #damage(id: string, state: State, harm: Damage): Promise<void> {
    if (harm.record === null) await redis.hdel(this.key('tasks'), id)
    else await redis.hset(this.key('tasks'), id, harm.record)
    const fields = { attempts: harm.history, results: harm.result, progress: harm.progress }
    for (const [name, value] of Object.entries({ ...fields, own: harm.own })) {
      if (value !== null) await redis.hset(this.key(name), id, value)
    }
    if (state === 'active') {
      if (harm.holder !== null) await redis.hset(this.key('active'), id, harm.holder)
    } else if (harm.score !== null) {
      await redis.zadd(this.key(state), String(harm.score), id)
    }
  }

  /** All that people ask answers, and what is asked of a task is told. By its time one may be gone. */
  async look({ gone = false } = {}): Promise<void> {
    const { broker, partition } = this.stage
    for (const id of this.ids) {
      const task = await this.#operator.task(id)
      expect(known(task) || (gone && task === undefined), id).toBe(true)
      expect(() => JSON.stringify(task)).not.toThrow()
    }
    for (const state of states) {
      expect((await this.#operator.tasks({ state })).items.every(known)).toBe(true)
    }
    for (const { key } of await this.#operator.deadLetters()) {
      await this.#operator.deadLetter(key, { error: 'x' })
    }
    await this.#operator.stats()
    await broker.workers(partition)
    await broker.remembered(partition, this.ids)
  }

  /** Everything that is done by itself: leases, rescues, rounds of retention. */
  async live(): Promise<void> {
    const { stage } = this
    for (let round = 0; round < 9; round += 1) {
      stage.now += 10_000
      await stage.join(`w-${round}`)
      await stage.broker.rescue(stage.partition, 30_000)
      const leased = await stage.cycle({ worker: `w-${round}`, wanted: 50, promote: true })
      const settled = leased.leased.map((task) =>
        stage.settlement(
          task,
          task.broken === undefined
            ? { name: 'complete', result: 1 }
            : { name: 'bury', error: { ...error, message: task.broken } },
        ),
      )
      const heard = await stage.cycle({ worker: `w-${round}`, settled })
      expect(heard.refused).toEqual([])
      await stage.broker.prune(stage.partition, retention)
    }
  }

  /** Each answer to a person is a move or a refusal, never an error. */
  async move(): Promise<void> {
    const { broker, partition } = this.stage
    for (const name of ['cancel', 'promote', 'requeue', 'cancel', 'erase'] as const) {
      const answers = await broker[name](partition, this.ids)
      expect(answers.every((answer) => typeof answer.ok === 'boolean')).toBe(true)
      if (name !== 'erase') await this.look()
    }
    for (const state of states) await broker.list(partition, { state, limit: 10 })
  }
}

const long = process.env['REDISDISTRO_FAULTS'] === 'long'
const none: Damage = {
  ...{ record: Buffer.from(record), history: null, result: null },
  ...{ progress: null, holder: null, own: null, score: null },
}
/** What once stopped a batch, or an answer. */
const examples: [Damage][] = [
  [{ ...none, score: -Infinity }],
  [{ ...none, score: Infinity }],
  [{ ...none, holder: Buffer.from('ff2031207731', 'hex') }],
  [{ ...none, holder: Buffer.from('x') }],
  [{ ...none, history: Buffer.from(`1 0 0 7\n${'x'.repeat(70_000)}`) }],
  [{ ...none, history: Buffer.from('1 0 0 0\n{"n":1,"o":"bury","e":1,"x":{}}') }],
  [{ ...none, result: Buffer.from(`${'9'.repeat(20)} 1\n1`) }],
  [{ ...none, record: null }],
]
const rounds = { numRuns: long ? 1000 : 25, examples }
const timeout = long ? 1_200_000 : 60_000

/** Holds in whatever damage there is. */
const inRuins = (holds: (ruin: Ruin) => Promise<void>) =>
  fc.asyncProperty(damage, async (harm) => {
    const ruin = new Ruin()
    try {
      await ruin.build(harm)
      await holds(ruin)
    } finally {
      await ruin.stage.broker.close()
    }
  })

describe('whatever lies in Redis of some tasks', () => {
  test(
    'those who ask are answered, what runs by itself goes on, and healthy ones complete',
    async () => {
      await fc.assert(
        inRuins(async (ruin) => {
          const healthy = [await ruin.stage.add(), await ruin.stage.add({ due: { in: 5 } })]
          await ruin.look()
          await ruin.live()
          await ruin.look({ gone: true })
          for (const id of healthy) expect(await ruin.stage.state(id)).toBe('completed')
          const { depth } = await ruin.stage.broker.counts(ruin.stage.partition)
          expect([depth.active, depth.waiting]).toEqual([0, 0])
        }),
        rounds,
      )
    },
    timeout,
  )

  test(
    'every move of a person answers',
    async () => {
      await fc.assert(
        inRuins((ruin) => ruin.move()),
        rounds,
      )
    },
    timeout,
  )
})
