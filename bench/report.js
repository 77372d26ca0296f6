import { cpus } from 'node:os'
import { goalTable, reachedGoals } from './goals.js'
import { versions } from './install.js'
import { rivalNamed, rivalNames } from './rivals/index.js'
import { measureTable } from './table.js'

/** @typedef {import('./options.js').Options} Options */
/** @typedef {import('./results.js').Results} Results */

/** @param {string} redis its version */
function machine(redis) {
  const processors = cpus()
  return {
    at: new Date().toISOString(),
    node: process.version,
    redis,
    platform: `${process.platform} ${process.arch}`,
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    packages: versions(),
  }
}

/**
 * What is printed at the end: tables for people, or JSON with the figures of every round.
 * @param {Options} options
 * @param {Results} results
 * @param {string} redis its version
 */
export async function report({ json, quick, measures, rounds }, results, redis) {
  const loaded = await Promise.all(rivalNames.map(rivalNamed))
  const settings = loaded.map(({ name, settings }) => ({ name, settings }))
  const on = machine(redis)
  const goals = quick ? [] : reachedGoals(measures, results)
  if (json) {
    const summaries = measures.flatMap((measure) => results.summaries(measure))
    const { outcomes } = results
    return JSON.stringify({ machine: on, quick, settings, outcomes, summaries, goals })
  }
  return [
    `${on.at}  Node ${on.node}, Redis ${on.redis}, ${on.platform}, ${on.cores} × ${on.processor}`,
    ...settings.map(({ name, settings }) =>
      [name, on.packages[name], settings.join('; ')].filter(Boolean).join(' | '),
    ),
    rounds === 1
      ? 'One round; ratios to the baseline.'
      : `Medians of ${rounds} rounds; ratios within a round, with the least and the most.`,
    ...measures.map((measure) => `\n${measureTable(measure, results, rounds)}`),
    ...(goals.length > 0 ? [`\n${goalTable(goals)}`] : []),
  ].join('\n')
}
