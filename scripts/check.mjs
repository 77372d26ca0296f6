// `npm run check`: everything about the source that can be known without running it. One line for
// each step, its output only where it fails or is a note, at most two at a time. Names as arguments run
// those steps alone (`npm run check -- floors`).
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const abreast = 2

/** @param {string} path */
const modules = (path) => join('node_modules', path)
const tsc = modules('@typescript/native/bin/tsc')
const biome = modules('@biomejs/biome/bin/biome')
const knip = modules('knip/bin/knip.js')

/**
 * The steps; all are node programs. What has `after` waits for that step to pass.
 * @type {{ name: string, args: string[], after?: string }[]}
 */
const steps = [
  { name: 'build', args: [tsc, '-b'] },
  { name: 'format', args: [biome, 'ci', '--colors=off', '--error-on-warnings', '.'] },
  { name: 'types', args: [tsc, '-p', 'tsconfig.check.json', '--noEmit'], after: 'build' },
  { name: 'floors', args: ['scripts/check-floors.mjs'], after: 'build' },
  { name: 'unused', args: [knip, '--no-progress'], after: 'build' },
  { name: 'package', args: ['scripts/check-package.mjs'], after: 'build' },
  { name: 'states', args: ['scripts/state-machine.mjs', '--check'], after: 'build' },
  { name: 'errors', args: ['scripts/errors.mjs', '--check'], after: 'build' },
  { name: 'config', args: ['scripts/config-docs.mjs', '--check'], after: 'build' },
  { name: 'cli', args: ['scripts/cli-docs.mjs', '--check'], after: 'build' },
  { name: 'tree', args: ['scripts/check-tree.mjs'] },
  { name: 'audit', args: ['scripts/audit.mjs'] },
]

/**
 * Runs one step to its end, prints its line, and says whether it passed.
 * @param {(typeof steps)[number]} step
 */
async function run({ name, args }) {
  const started = performance.now()
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk
    })
  }
  /** @type {number | null} */
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(8)} ${seconds} s`)
  // What a step could not look at is said even where it passes.
  const shown = code === 0 ? output.match(/^note: .*$/gm)?.join('\n') : output.trimEnd()
  if (shown) console.log(shown.replace(/^/gm, '     '))
  return code === 0
}

let places = abreast
/** @type {(() => void)[]} */
const queue = []

/** Settles when one of the places is the caller's. */
async function takePlace() {
  if (places > 0) places -= 1
  else await new Promise((resolve) => queue.push(() => resolve(undefined)))
}

function leavePlace() {
  const next = queue.shift()
  if (next === undefined) places += 1
  else next()
}

/** @type {Map<string, Promise<boolean>>} */
const verdicts = new Map()

/** @param {(typeof steps)[number]} step */
async function runInTurn(step) {
  if (step.after !== undefined && (await verdicts.get(step.after)) === false) {
    console.log(`--   ${step.name.padEnd(8)} needs ${step.after}`)
    return false
  }
  await takePlace()
  return run(step).finally(leavePlace)
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => steps.every((step) => step.name !== name))
if (unknown.length > 0) {
  console.error(`No step '${unknown[0]}'; there are: ${steps.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
for (const step of steps) {
  if (wanted.length === 0 || wanted.includes(step.name)) verdicts.set(step.name, runInTurn(step))
}
const failed = []
for (const [name, passed] of verdicts) if (!(await passed)) failed.push(name)
console.log(failed.length === 0 ? 'check passed' : `check failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
