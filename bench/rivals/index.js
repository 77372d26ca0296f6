/** @typedef {import('./rival.js').Rival} Rival */

/**
 * All that are compared, the product first. Loaded one by one, so that the process of one holds
 * nothing of the others.
 * @type {Record<string, () => Promise<Rival>>}
 */
const loaders = {
  redisdistro: async () => (await import('./redisdistro.js')).redisdistro,
  bullmq: async () => (await import('./bullmq.js')).bullmq,
  'bee-queue': async () => (await import('./bee-queue.js')).beeQueue,
  groupmq: async () => (await import('./groupmq.js')).groupmq,
}

/** The names of all. */
export const rivalNames = Object.keys(loaders)

/** The one that the others are rivals of. */
export const product = 'redisdistro'

/**
 * A rival by its name; throws where there is none.
 * @param {string} name
 */
export async function rivalNamed(name) {
  const rival = await loaders[name]?.()
  if (rival === undefined) throw new Error(`no rival is called ${name}`)
  return rival
}
