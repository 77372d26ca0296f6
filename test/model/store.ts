import type { Redis } from 'ioredis'
import { states } from '../../src/core/state.js'
import {
  type CounterName,
  type Ended,
  inState,
  levels,
  type ModelTask,
  noHistory,
  type World,
} from './world.js'

/** The raw contents of one partition's keys, each as a map from member to value. */
type Raw = Readonly<Record<(typeof names)[number], Map<string, string>>>

const hashes = ['tasks', 'active', 'details', 'orders', 'attempts', 'results'] as const
const moreHashes = ['progress', 'own', 'unique', 'meta'] as const
const queues = ['waiting', 'scheduled', 'retryable', 'completed', 'dead', 'cancelled'] as const
const moreSets = ['workers', 'ownUntil', 'uniqueUntil', 'expiring'] as const
const names = [...hashes, ...moreHashes, ...queues, ...moreSets] as const
const letters = ['dead', 'dead:mail', 'slow'] as const

const isHash = (name: string) => [...hashes, ...moreHashes].some((hash) => hash === name)

/** All of a partition at one moment. */
async function read(redis: Redis, base: string) {
  const pipeline = redis.multi()
  for (const name of names) {
    if (isHash(name)) pipeline.hgetall(base + name)
    else pipeline.zrange(base + name, '0', '-1', 'WITHSCORES')
  }
  for (const letter of letters) pipeline.zrange(`${base}dead:${letter}`, '0', '-1')
  pipeline.smembers(`${base}deadLetters`)
  pipeline.llen(`${base}wake`)
  const answers = ((await pipeline.exec()) ?? []).map(([, answer]) => answer)
  const raw = Object.fromEntries(names.map((name, i) => [name, asMap(answers[i])])) as Raw
  const under = letters.map((_, i) => answers[names.length + i] as string[])
  const inUse = answers[names.length + letters.length] as string[]
  return { raw, under, inUse, marks: answers.at(-1) as number }
}

function asMap(answer: unknown): Map<string, string> {
  if (!Array.isArray(answer)) return new Map(Object.entries(answer as Record<string, string>))
  const map = new Map<string, string>()
  for (let i = 0; i < answer.length; i += 2) map.set(answer[i], answer[i + 1])
  return map
}

/** What differs between a store and the model, in words; nothing where all is as it should be. */
export async function differences(redis: Redis, base: string, world: World): Promise<string[]> {
  const found: string[] = []
  const same = (what: string, stored: unknown, thought: unknown) => {
    const [a, b] = [JSON.stringify(stored), JSON.stringify(thought)]
    if (a !== b) found.push(`${what}: the store has ${a}, the model ${b}`)
  }
  const { raw, under, inUse, marks } = await read(redis, base)
  const all = [...world.tasks.values()]
  const ids = (name: keyof Raw) => [...raw[name].keys()].sort()
  same('ids', ids('tasks'), all.map(({ id }) => id).sort())
  for (const state of states) {
    const thought = inState(world, state).map(({ id }) => id)
    if (state === 'active') same('active', ids('active'), thought.sort())
    else same(state, [...raw[state].keys()], thought)
  }
  for (const task of all) compareTask(raw, task, same)
  const orphans = (name: keyof Raw) => ids(name).filter((id) => !world.tasks.has(id))
  for (const name of ['attempts', 'results', 'progress'] as const) {
    same(`orphans in ${name}`, orphans(name), [])
  }
  compareMarks(raw, world, same)
  letters.forEach((letter, i) => {
    const dead = inState(world, 'dead').filter((task) => task.deadLetter === letter)
    same(
      `dead:${letter}`,
      under[i],
      dead.map(({ id }) => id),
    )
    if (dead.length > 0) same(`${letter} is in use`, inUse.includes(letter), true)
  })
  const waits = raw.waiting.size > 0 && !world.paused
  if (world.paused || waits) same('marks', marks, world.paused ? 0 : 1)
  else same('at most one mark', marks <= 1, true)
  return found
}

type Same = (what: string, stored: unknown, thought: unknown) => void

function compareTask(raw: Raw, task: ModelTask, same: Same): void {
  const { id, state, history } = task
  const level = levels.indexOf(task.priority)
  const blob = raw.tasks.get(id)?.split('\n') ?? []
  const [flags = '', letter = '', key = '', due = ''] = blob[0]?.split(' ') ?? []
  const bits = (task.own ? 4 : 0) + (task.expires ? 8 : 0)
  const mode = ['none', 'held', 'timed'].indexOf(task.unique) * 16
  same(`${id} flags`, flags.charCodeAt(0) - 48, level + bits + mode)
  const words = [letter || 'dead', decodeURIComponent(key), due]
  same(`${id} header`, words, [task.deadLetter, task.key, String(task.runAt ?? '')])
  same(`${id} payload`, blob[2], JSON.stringify(task.payload))
  if (state === 'active') {
    const [fence, , worker] = raw.active.get(id)?.split(' ') ?? []
    same(`${id} holder`, { worker, fence }, task.holder)
  } else if (state === 'waiting') {
    same(`${id} level`, Math.floor(Number(raw.waiting.get(id)) / 2 ** 51), 3 - level)
  } else {
    const due = state === 'scheduled' || state === 'retryable'
    const thought = due ? task.dueAt + level / 4 : task.endedAt
    same(`${id} time`, Number(raw[state].get(id)), thought)
  }
  same(`${id} history`, readHistory(raw.attempts.get(id)), history)
  same(`${id} progress`, raw.progress.get(id), task.progress?.toString())
  same(`${id} result`, raw.results.get(id), task.completion && completionOf(task))
}

function completionOf({ completion }: ModelTask): string {
  const { startedAt, attempt, result, told } = completion ?? {}
  const last = told === undefined ? '' : `\n${told}`
  return `${startedAt} ${attempt}\n${JSON.stringify(result) ?? ''}${last}`
}

function readHistory(text: string | undefined) {
  if (text === undefined) return noHistory()
  const [head = '', ...lines] = text.split('\n')
  const [failures, losses, deaths, mismatch] = head.split(' ').map(Number)
  const ended = lines
    .filter((line) => line !== '')
    .map((line): Ended => {
      const { n, s, e, o, x } = JSON.parse(line)
      const code = x?.code === undefined ? {} : { code: x.code }
      return {
        attempt: n,
        outcome: o,
        ...(s === undefined ? {} : { startedAt: s }),
        endedAt: e,
        ...code,
      }
    })
  return { failures, losses, deaths, mismatch, ended }
}

const textOf = (map: ReadonlyMap<string, unknown>) =>
  [...map].map(([key, value]) => `${key} = ${value}`).sort()

/** Unique keys lie percent-encoded. */
const encoded = <Value>(map: ReadonlyMap<string, Value>) =>
  new Map([...map].map(([key, value]) => [encodeURIComponent(key), value]))

function compareMarks(raw: Raw, world: World, same: Same): void {
  same('leases', textOf(raw.workers), textOf(world.leases))
  same('details', [...raw.details.keys()].sort(), [...world.leases.keys()].sort())
  same('orders', textOf(raw.orders), textOf(world.orders))
  same('expiring', textOf(raw.expiring), textOf(world.expiring))
  same('ownUntil', textOf(raw.ownUntil), textOf(world.ownUntil))
  same('uniqueUntil', textOf(raw.uniqueUntil), textOf(encoded(world.uniqueUntil)))
  const own = [...world.own].map(([id, { print, ended }]): [string, string] => [
    id,
    ended ? `${print} ${ended}` : print,
  ])
  same('own', textOf(raw.own), textOf(new Map(own)))
  const unique = [...encoded(world.unique)].map(([key, { id, until }]): [string, string] => [
    key,
    `${id} ${until}`,
  ])
  same('unique', textOf(raw.unique), textOf(new Map(unique)))
  same('workerless', Number(raw.meta.get('workerless') ?? 0), world.workerless)
  same('paused', raw.meta.get('paused') !== undefined, world.paused)
}

/** Counters in total, against the model's. */
export async function countDifferences(
  redis: Redis,
  base: string,
  { counts }: World,
): Promise<string[]> {
  const found: string[] = []
  const total: Record<string, number> = {}
  for (const [field, value] of Object.entries(await redis.hgetall(`${base}stats`))) {
    const name = field.slice(field.indexOf(':') + 1)
    total[name] = (total[name] ?? 0) + Number(value)
  }
  for (const name of Object.keys(counts) as CounterName[]) {
    if ((total[name] ?? 0) === counts[name]) continue
    found.push(`stats ${name}: the store has ${total[name] ?? 0}, the model ${counts[name]}`)
  }
  return found
}
