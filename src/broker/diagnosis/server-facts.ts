import type { Socket } from 'node:net'
import type { Redis } from 'ioredis'
import { systemClock } from '../../core/clock.js'
import { isRedisDistroError } from '../../core/errors.js'
import { findWay } from '../durable-check.js'
import type { Durability } from '../index.js'
import { readServer } from '../server.js'
import type { DurabilityFacts, ServerFacts } from './facts.js'
import { tryRights } from './rights.js'

const rounds = 50
/** ms that the rounds of one kind may take together. */
const longest = 1500

const asked = [
  ...['save', 'appendonly', 'appendfsync', 'maxmemory', 'maxmemory-policy'],
  ...['min-replicas-to-write', 'stop-writes-on-bgsave-error'],
]

/** The lines `name:value` of a report. */
export const fieldsOf = (report: string): Record<string, string> =>
  Object.fromEntries(
    [...report.matchAll(/^([^#:\r\n]+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  )

/** What a call answers; undefined where it is refused, or not known. */
async function answerOf<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call
  } catch (error) {
    const isReply = error instanceof Error && error.name === 'ReplyError'
    if (isReply) return undefined
    throw error
  }
}

/** One by one, since a Redis before 7 takes no more at once. */
async function settingsOf(node: Redis): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of asked) {
    const answer = await answerOf(node.config('GET', name))
    const value = Array.isArray(answer) ? answer[1] : undefined
    if (value !== undefined) found[name] = String(value)
  }
  return found
}

/** Round trips in ms; none where the call is refused. */
async function roundTrips(call: () => Promise<unknown>): Promise<number[]> {
  const trips: number[] = []
  const end = systemClock.monotonic() + longest
  while (trips.length < rounds && systemClock.monotonic() < end) {
    const before = systemClock.monotonic()
    if ((await answerOf(call())) === undefined) return []
    trips.push(systemClock.monotonic() - before)
  }
  return trips
}

/** By the quickest of some round trips: the server read its clock about in the middle of it. */
async function clockOf(node: Redis): Promise<Pick<ServerFacts, 'time' | 'ahead'>> {
  let best: { readonly trip: number; readonly time: number; readonly ahead: number } | undefined
  for (let n = 0; n < 5; n++) {
    const sent = systemClock.now()
    const before = systemClock.monotonic()
    const answer = await answerOf(node.time())
    if (answer === undefined) return { time: undefined, ahead: undefined }
    const trip = systemClock.monotonic() - before
    const time = Number(answer[0]) * 1000 + Number(answer[1]) / 1000
    if (best === undefined || trip < best.trip) best = { trip, time, ahead: time - sent - trip / 2 }
  }
  return { time: best?.time, ahead: best?.ahead }
}

async function durabilityOf(
  node: Redis,
  { durability, commandTimeout, says }: ServerQuestions & { readonly says: string },
): Promise<DurabilityFacts | undefined> {
  if (durability === undefined) return undefined
  try {
    const { warnings } = await findWay(node, { durability, commandTimeout, says, wasOff: false })
    return { refusal: undefined, warnings }
  } catch (error) {
    if (!isRedisDistroError(error)) throw error
    return { refusal: error.message, warnings: [] }
  }
}

/** Where a server is; the one that sentinels named is known by its socket alone. */
function placeOf({ options, stream }: Redis): string {
  const { host, port, path, sentinels } = options
  if (!sentinels?.length) return path ?? `${host}:${port}`
  const { remoteAddress, remotePort } = stream as Socket
  return `${remoteAddress}:${remotePort}`
}

export interface ServerQuestions {
  readonly prefix: string
  /** ms within which a call settles. */
  readonly commandTimeout: number
  readonly durability: Durability | undefined
}

/** Asks one server for all that there is to know; it changes nothing there. */
export async function askServer(node: Redis, questions: ServerQuestions): Promise<ServerFacts> {
  const says = placeOf(node)
  const report = await answerOf(node.info())
  return {
    says,
    info: report === undefined ? undefined : fieldsOf(report),
    server: report === undefined ? undefined : readServer(report),
    settings: await settingsOf(node),
    ...(await clockOf(node)),
    pings: await roundTrips(() => node.ping()),
    scripts: await roundTrips(() => node.eval('return 1', 0)),
    rights: await tryRights(node, questions.prefix),
    durability: await durabilityOf(node, { ...questions, says: `Redis at ${says}` }),
  }
}
