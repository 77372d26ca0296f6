// `npm run bench`: the product beside its peers, on a redis-server of its own.
import { findOrFetch } from '../scripts/redis-server.mjs'
import { Fillers } from './fillers.js'
import { installRivals } from './install.js'
import { help, readOptions } from './options.js'
import { Progress } from './progress.js'
import { startRedis } from './redis.js'
import { report } from './report.js'
import { Results } from './results.js'
import { Servers } from './servers.js'

/** @typedef {import('./options.js').Options} Options */
/** @typedef {import('./measures/measure.js').Bench} Bench */

/**
 * The contenders of a round: each round begins with another, so that none always runs first.
 * @param {readonly string[]} contenders
 * @param {number} round
 */
const inTurn = (contenders, round) =>
  contenders.map((_, index) => contenders[(index + round) % contenders.length] ?? '')

/**
 * @param {Options} options
 * @param {Omit<Bench, 'tell'>} parts
 */
async function runAll(options, parts) {
  const results = new Results()
  const steps = options.measures.reduce((sum, { contenders }) => sum + contenders.length, 0)
  const progress = new Progress(steps * options.rounds)
  const bench = { ...parts, tell: (/** @type {string} */ words) => progress.tell(words) }
  for (let round = 1; round <= options.rounds; round++) {
    for (const measure of options.measures) {
      for (const contender of inTurn(measure.contenders, round)) {
        progress.step(`round ${round}: ${measure.name}, ${contender}`)
        const about = { measure: measure.name, contender, round }
        try {
          results.add({ ...about, figures: await measure.run(bench, contender) })
        } catch (error) {
          const failure = error instanceof Error ? error.message : String(error)
          progress.say(`${measure.name}, ${contender} failed: ${failure}`)
          results.add({ ...about, failure })
        }
      }
    }
  }
  progress.end()
  return results
}

/** @param {Options} options */
async function main(options) {
  const say = (/** @type {string} */ words) => process.stderr.write(`bench: ${words}\n`)
  await installRivals(say)
  const program = await findOrFetch()
  const redis = await startRedis(program)
  const fillers = new Fillers()
  const servers = new Servers(program)
  const end = async () => {
    await fillers.close()
    await servers.close()
    await redis.stop()
  }
  process.once('SIGINT', () => void end().finally(() => process.exit(130)))
  say(`redis-server ${redis.version} on port ${redis.port}`)
  try {
    const results = await runAll(options, { redis, servers, sizes: options.sizes, fillers })
    console.log(await report(options, results, redis.version))
    if (results.failures.length > 0) process.exitCode = 1
  } finally {
    await end()
  }
}

/**
 * @param {unknown} error
 * @param {number} exitCode
 */
function fail(error, exitCode) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = exitCode
}

function options() {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    // Of wrong use, as the product's own commands have it.
    fail(error, 2)
    return undefined
  }
}

const asked = options()
if (asked === 'help') console.log(help())
else if (asked !== undefined) await main(asked).catch((error) => fail(error, 1))
