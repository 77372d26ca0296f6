import type { Broker, Moved, StoredTask } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { RedisDistroError } from '../core/errors.js'
import { states } from '../core/state.js'
import type { Task } from '../core/task.js'
import type { Directory, MoveResult, Page, TaskFilter } from './contract.js'
import { unknownType } from './draft.js'
import { taskPrint } from './ids.js'
import { jsonCopy } from './json-copy.js'
import { type Found, findEverywhere, queueParts } from './locate.js'
import { type Move, starts } from './moves.js'
import { errorOf } from './problem.js'
import { showTasks } from './show.js'
import { Waiters } from './waiters.js'
import { type Walk, walkPage } from './walk.js'

const defaultLimit = 50

export interface HandParts {
  readonly broker: Broker
  readonly directory: Directory
  readonly clock: Clock
}

/** Which task is meant. */
interface Named {
  readonly id: string
  readonly queue: string | undefined
}

/** Looks tasks up, waits for them, lists and moves them. */
export class TaskHand {
  readonly #parts: HandParts
  readonly #waiters: Waiters

  constructor(parts: HandParts) {
    this.#parts = parts
    this.#waiters = new Waiters(parts.broker, parts.clock)
  }

  async task(named: Named): Promise<Task | undefined> {
    const [first] = await this.#findAll(named)
    return first && this.#show(first)
  }

  async waitFor(named: Named, ms: number, signal?: AbortSignal): Promise<Task | undefined> {
    const [first] = await this.#findAll(named)
    return first && this.#show(await this.#waiters.wait(first, ms, signal))
  }

  tasks(filter: TaskFilter): Promise<Page<Task>> {
    const { type, tag, state } = filter
    const keep = (task: StoredTask) =>
      (type === undefined || task.body.type === type) &&
      (tag === undefined || task.body.tags.includes(tag))
    return this.page(filter, {
      states: state === undefined ? states : [state],
      ...(type === undefined && tag === undefined ? {} : { keep }),
    })
  }

  /** A page of what `walk` means. */
  async page(
    filter: Pick<TaskFilter, 'queue' | 'cursor' | 'limit'>,
    walk: Omit<Walk, 'partitions' | 'limit' | 'cursor'>,
  ): Promise<Page<Task>> {
    const queues = await queueParts(this.#parts.directory, filter.queue)
    const partitions = queues.flatMap(({ parts }) => parts)
    const { limit = defaultLimit, cursor } = filter
    const page = await walkPage(this.#parts.broker, { ...walk, partitions, limit, cursor })
    const items = await showTasks(this.#parts, page.found)
    return page.cursor === undefined ? { items } : { items, cursor: page.cursor }
  }

  async move(move: Move, named: Named): Promise<MoveResult> {
    const meant = await this.#meant(named, move)
    if (meant === undefined) return { ok: false, reason: 'unknown_task' }
    const [moved] = await this.#parts.broker[move](meant.partition, [named.id])
    if (move !== 'erase' || moved?.ok !== true) return await this.#moved(moved, meant)
    return { ok: true, from: moved.from, task: undefined }
  }

  /** @throws RedisDistroError `bad_payload` or `unknown_type`; nothing is written then */
  async edit(named: Named, given: unknown, run: boolean): Promise<MoveResult> {
    const { broker } = this.#parts
    const meant = await this.#meant(named, 'edit')
    if (meant === undefined) return { ok: false, reason: 'unknown_task' }
    const { state, body, broken } = meant.task
    if (!starts.edit.includes(state)) return { ok: false, reason: 'wrong_state', state }
    if (broken !== undefined) throw new RedisDistroError('bad_payload', broken)
    const payload = await this.#checked(body.type, given)
    const before = taskPrint(body.type, body.payload)
    const prints = { before, after: taskPrint(body.type, payload) }
    const edit = { id: named.id, type: body.type, payload, prints, run }
    return await this.#moved(await broker.edit(meant.partition, edit), meant)
  }

  /** Who waits for a task hears at once how it was last seen. */
  close(): void {
    this.#waiters.close()
  }

  async #checked(type: string, given: unknown): Promise<unknown> {
    const { directory } = this.#parts
    const entry = await directory.type(type)
    if (entry === undefined) throw errorOf([await unknownType(directory, type)])
    const payload = jsonCopy(given)
    const checked = await entry.check(payload)
    if (checked.ok) return payload
    throw errorOf([{ code: 'bad_payload', issues: checked.issues }])
  }

  async #findAll({ id, queue }: Named): Promise<Found[]> {
    const { broker, directory } = this.#parts
    return await findEverywhere(broker, id, await queueParts(directory, queue))
  }

  /** Where ids repeat over queues and none is named, the one that can be moved is meant. */
  async #meant(named: Named, move: Move | 'edit'): Promise<Found | undefined> {
    const all = await this.#findAll(named)
    return all.find(({ task }) => starts[move].includes(task.state)) ?? all[0]
  }

  async #moved(moved: Moved | undefined, { partition, task }: Found): Promise<MoveResult> {
    if (moved === undefined) return { ok: false, reason: 'unknown_task' }
    if (!moved.ok) return moved
    const [after] = await this.#parts.broker.find(partition, [task.id])
    return {
      ok: true,
      from: moved.from,
      task: after && (await this.#show({ partition, task: after })),
    }
  }

  async #show(found: Found): Promise<Task> {
    const [task] = await showTasks(this.#parts, [found])
    if (task === undefined) throw new RedisDistroError('internal', 'a task was lost on its way out')
    return task
  }
}
