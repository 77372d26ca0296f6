import type { ParsedEnqueueOptions } from '../core/enqueue-options.js'
import { isRedisDistroError } from '../core/errors.js'
import type { Checked, Directory, DirectoryEntry, EnqueueEntry } from './contract.js'
import { fingerprintOf, idOfKey } from './ids.js'
import { jsonCopy } from './json-copy.js'
import { type OptionsRead, readOptions } from './options.js'
import { badOption, type Problem } from './problem.js'

/** A task as its caller gave it, taken down before the first wait. */
export interface Given {
  readonly type: string
  readonly payload: unknown
  readonly options: OptionsRead
  /** Where the payload is nothing that JSON can hold. */
  readonly problem?: Problem
}

/** A task that was checked and has its place, but no time and no trace yet. */
export interface Draft {
  readonly entry: DirectoryEntry
  readonly payload: unknown
  readonly options: ParsedEnqueueOptions
  /** The real name of the queue it goes to, and its number of partitions. */
  readonly queue: string
  readonly partitions: number
  readonly id: string
  /** Of ids that the caller chose. */
  readonly fingerprint?: string
}

export const isProblem = (made: object): made is Problem => 'issues' in made

/** Takes a task down as it is now. */
export function give(type: string, payload: unknown, options: OptionsRead): Given {
  try {
    return { type, payload: jsonCopy(payload), options }
  } catch (error) {
    if (!isRedisDistroError(error)) throw error
    const problem = { code: error.code, message: error.message, issues: error.issues }
    return { type, payload: undefined, options, problem }
  }
}

/** The tasks of a mixed batch, each with options of its own. */
export const giveAll = (entries: readonly EnqueueEntry[]): Given[] =>
  entries.map(({ type, payload, options }) => give(type, payload, readOptions(options, false)))

/** The problem of a type that nobody knows, which names those that somebody does. */
export async function unknownType(directory: Directory, type: string): Promise<Problem> {
  const names = await directory.typeNames()
  const known = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`
  const message = `no task type '${type}'; ${known}`
  return { code: 'unknown_type', message, issues: [{ path: 'type', message }] }
}

const badPayload = (entry: DirectoryEntry, checked: Checked & { ok: false }): Problem => {
  const words = checked.issues.map(({ path, message }) => (path ? `${path}: ${message}` : message))
  const message = `payload of '${entry.type}': ${words.join('; ')}`
  return { code: 'bad_payload', message, issues: checked.issues }
}

interface Place {
  readonly queue: string
  readonly partitions: number
}

interface Passed {
  readonly entry: DirectoryEntry
  readonly options: ParsedEnqueueOptions
  readonly place: Place
  readonly index: number
}

async function placeOf(directory: Directory, name: string): Promise<Place | Problem> {
  const queues = await directory.queues()
  const real = directory.realName(name)
  const found = queues.find(({ queue }) => queue === real)
  if (found !== undefined) return found
  const names = queues.map(({ queue }) => queue).join(', ')
  return badOption('queue', `no queue '${name}'; there are ${names}`)
}

/** Names the id of the task at `index` where the caller chose none. */
export type NameTask = (index: number) => { readonly id: string; readonly own: boolean }

function idOf(given: Given, options: ParsedEnqueueOptions): string | undefined {
  if (options.taskId !== undefined) return options.taskId
  return options.idempotencyKey === undefined
    ? undefined
    : idOfKey(given.type, options.idempotencyKey)
}

/** Checks the tasks of one call against a directory; one look-up a type, no promise a task. */
export class Drafter {
  readonly #directory: Directory
  readonly #name: NameTask
  readonly #entries = new Map<string, DirectoryEntry>()

  constructor(directory: Directory, name: NameTask) {
    this.#directory = directory
    this.#name = name
  }

  /** In the order given; nothing is written yet. */
  async draft(givens: readonly Given[]): Promise<(Draft | Problem)[]> {
    const made: (Draft | Problem)[] = []
    for (const given of givens) {
      const entry = this.#entries.get(given.type) ?? (await this.#lookUp(given.type))
      if (entry === undefined) made.push(await unknownType(this.#directory, given.type))
      else if (given.problem !== undefined) made.push(given.problem)
      else if (!given.options.ok) made.push(given.options.problem)
      else {
        const checking = entry.check(given.payload)
        const checked = checking instanceof Promise ? await checking : checking
        const { options } = given.options
        const place =
          options.queue === undefined ? entry : await placeOf(this.#directory, options.queue)
        if (!checked.ok) made.push(badPayload(entry, checked))
        else if (isProblem(place)) made.push(place)
        else made.push(this.#draft(given, { entry, options, place, index: made.length }))
      }
    }
    return made
  }

  #draft(given: Given, { entry, options, place, index }: Passed): Draft | Problem {
    const { queue, partitions } = place
    if (options.uniqueKey !== undefined && partitions !== 1) {
      return badOption('uniqueKey', `needs one partition, and queue '${queue}' has ${partitions}`)
    }
    const chosen = idOf(given, options)
    const { id, own } = chosen === undefined ? this.#name(index) : { id: chosen, own: true }
    const draft = { entry, payload: given.payload, options, queue, partitions, id }
    return own ? { ...draft, fingerprint: fingerprintOf(given.payload) } : draft
  }

  async #lookUp(type: string): Promise<DirectoryEntry | undefined> {
    const entry = await this.#directory.type(type)
    if (entry !== undefined) this.#entries.set(type, entry)
    return entry
  }
}
