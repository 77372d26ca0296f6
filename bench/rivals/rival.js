/**
 * What each rival is driven through. A producer enqueues and nothing else; a consumer is connected
 * before it starts, so that a measure begins with its first task.
 */

/** @typedef {import('../mail.js').Mail} Mail */

/**
 * Where the tasks lie. `nodes` are those of a cluster, which stands in place of one server.
 * @typedef {object} Place
 * @property {number} port of a Redis on loopback
 * @property {string} queue
 * @property {number[]} [nodes] ports of a Redis Cluster
 * @property {number} [partitions]
 * @property {number} [abreast] tasks that will run at once, for who needs to lay them out for that
 * @property {number} [sampled] share of the traces that is sampled; no tracing if left out
 */

/**
 * How a producer will be used, so that its rival can take the settings that fit.
 * @typedef {'one' | 'flight' | 'bulk'} Manner
 */

/**
 * @typedef {object} Producer
 * @property {(mail: Mail) => Promise<unknown>} one resolves when the task is acknowledged
 * @property {(mails: Mail[]) => Promise<unknown>} many the same, for all of them
 * @property {(mails: Mail[]) => Promise<unknown>} later the same, due in an hour
 * @property {(mails: Mail[], due: number) => Promise<unknown>} [at] the same, due at that ms since the
 * epoch; of the product alone
 * @property {() => Promise<unknown>} close
 */

/**
 * @typedef {object} Consumer
 * @property {() => unknown} go begins to take tasks
 * @property {() => Promise<number>} left tasks that wait or run, as Redis knows it
 * @property {() => Promise<unknown>} close
 */

/**
 * @typedef {object} Work
 * @property {number} concurrency
 * @property {(mail: Mail) => Promise<void>} handle
 */

/**
 * @typedef {object} Rival
 * @property {string} name
 * @property {string[]} settings as they are printed
 * @property {(place: Place, manner: Manner) => Promise<Producer>} producer
 * @property {(place: Place, work: Work) => Promise<Consumer>} consumer
 */

/** How far ahead a delayed task is due, in ms. */
export const anHour = 3_600_000

/**
 * Loads a package of the benchmark's own folder. By a variable name, for neither the compiler nor
 * the check for unused packages finds it while that folder is not installed.
 * @param {string} name
 */
export const load = (name) => import(name)
