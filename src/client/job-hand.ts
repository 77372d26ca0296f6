import type { Broker, DeadLetterFilter, JobRecord } from '../core/broker.js'
import { iso } from '../core/clock.js'
import { RedisDistroError } from '../core/errors.js'
import { parseRate, rateMessage } from '../core/rate.js'
import type { Job } from './bulk-contract.js'
import { newId } from './ids.js'

/** Characters of each word of an order: a hundred jobs are kept, and each is written every second. */
const longest = 1000

/** @throws RedisDistroError `bad_option` for what is no rate, and for what is too long to be kept */
function checkOrder(key: string, filter: DeadLetterFilter, rate: string | undefined): void {
  const issues = Object.entries({ key, ...filter }).flatMap(([path, value]) =>
    typeof value === 'string' && value.length > longest
      ? { path, message: `is longer than the ${longest} characters that a job keeps` }
      : [],
  )
  if (rate !== undefined && parseRate(rate) === undefined) {
    issues.push({ path: 'rate', message: rateMessage(rate) })
  }
  const [first] = issues
  if (first === undefined) return
  throw new RedisDistroError('bad_option', `${first.path}: ${first.message}`, { issues })
}

/** A job as people and programs see it. */
function jobView(job: JobRecord): Job {
  const { id, kind, state, key, filter, rate, total, done, skipped, endedAt, error } = job
  return {
    id,
    kind,
    state,
    key,
    filter,
    ...(rate === undefined ? {} : { rate }),
    ...(total === undefined ? {} : { total }),
    done,
    skipped,
    startedAt: iso(job.startedAt),
    ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }),
    ...(job.stopping ? { stopping: true } : {}),
    held: state === 'running' && job.held,
    ...(error === undefined ? {} : { error }),
  }
}

/** Bulk jobs of a store: made and told here, done by whichever kernel takes them. */
export class JobHand {
  readonly #broker: Broker

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** @throws RedisDistroError `bad_option` for an order that cannot be kept, `too_many_requests` */
  async startRequeue(
    key: string,
    filter: DeadLetterFilter,
    rate: string | undefined,
  ): Promise<Job> {
    checkOrder(key, filter, rate)
    const startedAt = await this.#broker.now()
    const order = { id: newId(), kind: 'requeue', key, filter, rate, startedAt } as const
    if (!(await this.#broker.addJob(order))) {
      const words = 'a hundred jobs are running; wait for one to end, or stop one'
      throw new RedisDistroError('too_many_requests', words)
    }
    const fresh = { done: 0, skipped: 0, state: 'running', stopping: false, held: false } as const
    return jobView({ ...order, ...fresh })
  }

  async jobs(): Promise<Job[]> {
    return (await this.#broker.jobs()).map(jobView)
  }

  async job(id: string): Promise<Job | undefined> {
    const found = (await this.#broker.jobs()).find((job) => job.id === id)
    return found && jobView(found)
  }

  /** As it then is; one that has ended stays as it is. */
  async stopJob(id: string): Promise<Job | undefined> {
    return (await this.#broker.stopJob(id)) ? await this.job(id) : undefined
  }
}
