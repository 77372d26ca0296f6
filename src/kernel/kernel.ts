import { openStore, type Store } from '../broker/open-store.js'
import { Client } from '../client/client.js'
import type { Directory } from '../client/contract.js'
import { Operator } from '../client/operator.js'
import { catalogueOf, registryDirectory } from '../client/registry-directory.js'
import { strangersIn } from '../client/schedule-check.js'
import { Schedules } from '../client/schedules.js'
import type { Broker } from '../core/broker.js'
import { systemClock } from '../core/clock.js'
import { RedisDistroError } from '../core/errors.js'
import { lazily } from '../core/lazily.js'
import { type Lives, newLife } from '../core/life.js'
import type { Wanted } from '../core/schedule.js'
import type { ScheduleStore } from '../core/schedule-store.js'
import type { Service } from '../core/service.js'
import { createLog, type Log } from '../telemetry/log.js'
import { createCounters } from '../telemetry/metrics.js'
import type { Config } from './config-schema.js'
import { type ConfigRow, explainConfig } from './explain-config.js'
import type { Front } from './front.js'
import { jobRunner } from './job-runner.js'
import { warnOfLeftovers } from './leftovers.js'
import { closePlugins, setUpPlugins } from './plugin-setup.js'
import { publisher } from './publisher.js'
import { type ReadConfigOptions, readConfig } from './read-config.js'
import { readinessOf } from './readiness.js'
import { reconcileSchedules } from './reconcile.js'
import { type ResolvedConfig, runDirectory } from './resolved-config.js'
import { type Role, rolesOf } from './roles.js'
import { withSource } from './sources.js'
import { warnOfUnheard } from './unheard.js'
import { Workforce } from './workforce.js'

export interface StartOptions {
  /** Both, where left out. */
  readonly roles?: readonly Role[] | undefined
  /** Queues to work; all of the config's where left out. */
  readonly queues?: readonly string[] | undefined
  /** Waited for before the first task can be leased. */
  readonly beforeWork?: (() => Promise<void>) | undefined
  /** By a supervisor; else the process is known to nobody. */
  readonly lives?: Lives | undefined
}

/** What a kernel says of itself once it runs. */
export interface Started {
  /** What the tasks lie in, without secrets. */
  readonly store: string
  /** Where the API listens; undefined where it does not. */
  readonly url?: string
}

export type KernelOptions = Omit<ReadConfigOptions, 'config'> & { readonly log?: Log | undefined }

/** What plugins may take to close at least, past `shutdownGrace`, in ms. */
const closeWithin = 500

/**
 * Boots, wires and stops everything. Start: plugins are set up first, since they may refuse; then the
 * store, catalogue, workers, and the API last, so that who is let in is served. Stop goes the other
 * way: no new requests and no new leases, workers give back what they hold, plugins close, the store
 * is left.
 */
export class Kernel {
  readonly config: ResolvedConfig
  readonly client: Client
  readonly operator: Operator
  readonly schedules: Schedules
  readonly #directory: Directory
  readonly #log: Log
  readonly #counters = createCounters()
  #alone = false
  #store: Promise<Store> | undefined
  #plugged = false
  #workforce: Workforce | undefined
  /** Beside the workers, in every role. */
  #services: Service[] = []
  #front: Front | undefined
  #starting: Promise<Started> | undefined
  #stopping: Promise<void> | undefined

  constructor(config: ResolvedConfig, log: Log) {
    this.config = config
    this.#log = log
    const broker = lazily<Broker>(async () => (await this.#open()).broker)
    const realName = (queue: string) => (queue === 'default' ? config.defaultQueue : queue)
    const clock = systemClock
    const directory = registryDirectory({ ...this.#published(), broker, clock, realName })
    const deadline = config.redis.commandTimeout
    this.#directory = directory
    this.client = new Client({ broker, directory, clock, deadline })
    this.operator = new Operator({ broker, directory, clock })
    const store = lazily<ScheduleStore>(async () => (await this.#open()).broker.schedules)
    const { client } = this
    const now = () => broker.now()
    this.schedules = new Schedules({ store, client, directory, now, tz: config.time.tz })
  }

  /** Every value of the config with where it came from; secrets are masked. */
  explain(): ConfigRow[] {
    return explainConfig(this.config)
  }

  /**
   * Starts the roles, once. A failed start undoes itself, and leaves a kernel that is stopped.
   * @throws RedisDistroError that says what to do
   */
  async start(options: StartOptions = {}): Promise<Started> {
    this.#goOn()
    if (this.#starting) throw new RedisDistroError('bad_option', 'the kernel was started already')
    this.#starting = this.#start(options)
    try {
      return await this.#starting
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Stops everything, once; resolves when nothing of it runs any more. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** A stop that comes while the kernel starts ends the start at its next step. */
  #goOn(): void {
    if (!this.#stopping) return
    throw new RedisDistroError('closed', 'the kernel was stopped; create another')
  }

  async #start(options: StartOptions): Promise<Started> {
    const { config, client } = this
    const { worker, producer } = rolesOf(options.roles)
    this.#alone = worker && producer
    const { plugins, production } = config
    warnOfUnheard(config, this.#log)
    const directory = runDirectory(config)
    await setUpPlugins(plugins, { log: this.#log, client, directory, production })
    this.#plugged = true
    const store = await this.#open()
    if (store.kind === 'in-process') {
      this.#log.warn('Tasks are kept in this process: nothing of them survives its end')
    }
    await this.#serveStore(store.broker)
    await warnOfLeftovers(this.config, store.broker, this.#log)
    if (worker) await this.#work(store.broker, options)
    this.#goOn()
    const url = await this.#serve(producer)
    return { store: store.says, ...(url === undefined ? {} : { url }) }
  }

  async #serveStore(broker: Broker): Promise<void> {
    const { queues } = this.config
    const catalogue = catalogueOf(this.#published())
    const reconcile = () => reconcileSchedules(broker, this.config, this.#log)
    const publishing = publisher({ broker, queues, catalogue, log: this.#log, reconcile })
    await publishing.tick()
    const jobs = jobRunner({ broker, directory: this.#directory, log: this.#log })
    this.#services = [publishing, jobs]
    for (const service of this.#services) service.start()
  }

  async #work(broker: Broker, { queues, beforeWork, lives }: StartOptions): Promise<void> {
    await beforeWork?.()
    this.#goOn()
    const known = lives ?? { own: newLife(), gone: [] }
    const { config, client } = this
    const accepts = async (wanted: Wanted) =>
      (await strangersIn(wanted, this.#directory)).length === 0
    const parts = { config, broker, client, accepts, log: this.#log, counters: this.#counters }
    this.#workforce = new Workforce({ ...parts, lives: known }, queues)
    await this.#workforce.start()
  }

  async #serve(producer: boolean): Promise<string | undefined> {
    if (this.config.http === false) return undefined
    // Loaded only here: whoever serves nothing does not pay for the server.
    const { Front } = await import('./front.js')
    this.#front = new Front(this.config.http, {
      stopGrace: this.config.worker.shutdownGrace,
      directory: runDirectory(this.config),
      enqueuer: this.client,
      operator: this.operator,
      schedules: this.schedules,
      counters: this.#counters,
      log: this.#log,
      ready: () => this.#ready(),
    })
    const address = await this.#front.start(producer).catch((error: unknown) => {
      throw withSource(error, this.config, ['http.host', 'http.port'])
    })
    if (!address) return undefined
    const host = address.host.includes(':') ? `[${address.host}]` : address.host
    return `http://${host}:${address.port}`
  }

  #open(): Promise<Store> {
    this.#goOn()
    const { redis, production } = this.config
    const directory = runDirectory(this.config)
    const options = { redis, directory, production, alone: this.#alone, log: this.#log }
    this.#store ??= openStore(options).catch((error: unknown) => {
      // The next call tries anew.
      this.#store = undefined
      throw withSource(error, this.config, ['redis.url'])
    })
    return this.#store
  }

  #published() {
    const { tasks, queues, time } = this.config
    const partitions = new Map([...queues].map(([name, queue]) => [name, queue.partitions]))
    return { tasks, queues: partitions, tz: time.tz }
  }

  async #ready() {
    const workers = this.#workforce && (() => this.#workforce?.healthy === true)
    return await readinessOf((await this.#open()).broker, workers)
  }

  async #stop(): Promise<void> {
    await this.#starting?.catch(() => undefined)
    const grace = this.config.worker.shutdownGrace
    const end = systemClock.monotonic() + grace + closeWithin
    // Together: what is still in flight at the API may use up the grace that handlers have.
    await Promise.all([this.#front?.stop(), this.#workforce?.stop()])
    await Promise.all(this.#services.map((service) => service.stop()))
    if (this.#plugged) await closePlugins(this.config.plugins, this.#log, end)
    await this.client.close()
    await this.operator.close()
    const store = await this.#store?.catch(() => undefined)
    await store?.close()
  }
}

/**
 * Makes a kernel of a config in hand, or of the one that is found from `directory` upward. Nothing
 * is connected or started yet.
 * @throws RedisDistroError `bad_config` that lists everything that is wrong
 * @example
 * const kernel = await createKernel(config)
 * await kernel.start({ roles: ['producer', 'worker'] })
 */
export async function createKernel(config?: Config, options: KernelOptions = {}): Promise<Kernel> {
  const { log, ...rest } = options
  const resolved = await readConfig({ config, ...rest })
  const pretty = process.stderr.isTTY === true
  return new Kernel(resolved, log ?? (await createLog({ level: resolved.logLevel, pretty })))
}
