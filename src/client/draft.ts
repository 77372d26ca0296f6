import type { Partition } from '../core/broker.js'
import type { ParsedEnqueueOptions } from '../core/enqueue-options.js'
import { type Issue, isRedisDistroError } from '../core/errors.js'
import type { Checked, Directory, DirectoryEntry, EnqueueEntry } from './contract.js'
import { idOfKey, taskPrint } from './ids.js'
import { jsonCopy } from './json-copy.js'
import type { Naming } from './naming.js'
import { type OptionsRead, readOptions } from './options.js'
import { partitionOf } from './placement.js'
import { badOption, isProblem, joined, type Problem } from './problem.js'

/** A task as its caller gave it, taken down before the first wait. */
export interface Given {
  readonly type: string
  readonly payload: unknown
  readonly options: OptionsRead
  /** Where the payload is nothing that JSON can hold. */
  readonly problem?: Problem
  /** Where whoever took it in found no task in it. */
  readonly malformed?: Problem
}

/** A task that was checked and has its place, but no time and no trace yet. */
export interface Draft {
  readonly entry: DirectoryEntry
  readonly payload: unknown
  readonly options: ParsedEnqueueOptions
  /** Where it goes. */
  readonly partition: Partition
  readonly id: string
  /** Of ids that the caller chose: its print, or the whole batch's where its key made the id. */
  readonly fingerprint?: string
}

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
  entries.map(({ type, payload, options, issues = [] }) =>
    issues.length === 0
      ? give(type, payload, readOptions(options, false))
      : { type, payload, options: readOptions(undefined, false), malformed: malformed(issues) },
  )

const malformed = (issues: readonly Issue[]): Problem => ({ code: 'bad_payload', issues })

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

/** What one task was found to be. */
interface Findings {
  readonly given: Given
  readonly entry: DirectoryEntry
  readonly checked: Checked
  readonly place: Place | Problem
}

/** All that is wrong with one task of a known type, as one problem; undefined where nothing is. */
function wrongWith({ given, entry, checked, place }: Findings): Problem | undefined {
  const problems: Problem[] = []
  if (given.problem !== undefined) problems.push(given.problem)
  if (!given.options.ok) problems.push(given.options.problem)
  if (!checked.ok) problems.push(badPayload(entry, checked))
  if (isProblem(place) && problems.length === 0) problems.push(place)
  const [first, ...others] = problems
  return first === undefined ? undefined : joined([first, ...others])
}

async function placeOf(directory: Directory, name: string): Promise<Place | Problem> {
  const queues = await directory.queues()
  const real = directory.realName(name)
  const found = queues.find(({ queue }) => queue === real)
  if (found !== undefined) return found
  const names = queues.map(({ queue }) => queue).join(', ')
  return badOption('queue', `no queue '${name}'; there are ${names}`)
}

function idOf(type: string, { taskId, idempotencyKey }: ParsedEnqueueOptions): string | undefined {
  if (taskId !== undefined) return taskId
  return idempotencyKey === undefined ? undefined : idOfKey(type, idempotencyKey)
}

/** Said of a payload that cannot be checked, since something else is told of it. */
const unchecked: Checked = { ok: true }

/** Checks the tasks of one call against a directory; one look-up a type, no promise a task. */
export class Drafter {
  readonly #directory: Directory
  readonly #naming: Naming
  readonly #entries = new Map<string, DirectoryEntry>()

  constructor(directory: Directory, naming: Naming) {
    this.#directory = directory
    this.#naming = naming
  }

  /** In the order given; nothing is written yet. */
  async draft(givens: readonly Given[]): Promise<(Draft | Problem)[]> {
    const made: (Draft | Problem)[] = []
    for (const given of givens) {
      if (given.malformed !== undefined) {
        made.push(given.malformed)
        continue
      }
      const entry = this.#entries.get(given.type) ?? (await this.#lookUp(given.type))
      if (entry === undefined) {
        made.push(await unknownType(this.#directory, given.type))
        continue
      }
      const checking = given.problem === undefined ? entry.check(given.payload) : unchecked
      const checked = checking instanceof Promise ? await checking : checking
      const { options } = given
      const other = options.ok ? options.options.queue : undefined
      const place = other === undefined ? entry : await placeOf(this.#directory, other)
      const sound = options.ok && !isProblem(place) && checked.ok && given.problem === undefined
      if (sound) made.push(this.#draft(given, { entry, options: options.options, place }))
      else made.push(wrongWith({ given, entry, checked, place }) ?? badOption('', 'is wrong'))
    }
    return made
  }

  #draft(
    { type, payload }: Given,
    passed: Pick<Draft, 'entry' | 'options'> & { readonly place: Place },
  ): Draft | Problem {
    const { entry, options, place } = passed
    const { queue, partitions } = place
    if (options.uniqueKey !== undefined && partitions !== 1) {
      return badOption('uniqueKey', `needs one partition, and queue '${queue}' has ${partitions}`)
    }
    const chosen = idOf(type, options)
    const id = chosen ?? this.#naming.next()
    const draft = { entry, payload, options, id, partition: partitionOf(queue, partitions, id) }
    const fingerprint = chosen === undefined ? this.#naming.print : taskPrint(type, payload)
    return fingerprint === undefined ? draft : { ...draft, fingerprint }
  }

  async #lookUp(type: string): Promise<DirectoryEntry | undefined> {
    const entry = await this.#directory.type(type)
    if (entry !== undefined) this.#entries.set(type, entry)
    return entry
  }
}
