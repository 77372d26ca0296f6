// `npm run faults`: the fault experiments, the model test and the fuzzers in their long size, some ten
// minutes, with a table of what was counted. `--write` keeps the table in docs/guarantees.md; other
// words pick test files by a part of their path.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { rivals } from './faults-rivals.mjs'

/**
 * @typedef {{ acknowledged?: number, lost?: number, twice?: number, again?: string, recovery?: number, lease?: number, seen?: string }} Finding
 * @typedef {{ fault: string, finding: Finding, seconds: number }} Row
 */

const root = fileURLToPath(new URL('..', import.meta.url))
const page = join(root, 'docs/guarantees.md')
const marks = {
  begin: '<!-- the long run: written by `npm run faults -- --write` -->',
  end: '<!-- end of the long run -->',
}
const everything = ['test/faults', 'test/model', 'fuzz']
const usage = `Usage: npm run faults [-- [--write] [--soak MINUTES] [--schedules MINUTES] [part of a test file's path ...]]

Runs the fault experiments in their long size against real servers and processes, and prints what
was counted. --write puts the table into docs/guarantees.md. --soak has one fleet work for so long
under faults instead, and --schedules ten kernels that share schedules and are killed at random.`

function readWords() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        write: { type: 'boolean' },
        soak: { type: 'string' },
        schedules: { type: 'string' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) }
  }
}

const said = readWords()
if ('wrong' in said) {
  console.error(`${said.wrong}\n\n${usage}`)
  process.exit(2)
}
const { write = false, soak, schedules, help } = said.values
if (help) {
  console.log(usage)
  process.exit(0)
}
const alone =
  soak !== undefined
    ? ['test/faults/soak.ts']
    : schedules !== undefined && ['test/faults/schedules.test.ts']
const picked = alone || said.positionals

/** @param {number} ms */
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`

/** Says on stderr what goes on; on a terminal the experiments that run stand in one line. */
class Progress {
  #began = performance.now()
  /** @type {Map<string, string>} */
  #running = new Map()

  /** @param {Row | { fault: string, progress: string }} line */
  show(line) {
    if ('finding' in line) {
      this.#running.delete(line.fault)
      this.#say(`ok  ${line.fault} (${line.seconds.toFixed(0)} s)`)
    } else {
      const isNew = !this.#running.has(line.fault)
      this.#running.set(line.fault, line.progress)
      if (isNew) this.#say(`..  ${line.fault}`)
    }
    this.#draw()
  }

  clear() {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }

  /** @param {string} sentence */
  #say(sentence) {
    this.clear()
    const at = ((performance.now() - this.#began) / 1000).toFixed(0).padStart(4)
    process.stderr.write(`${at} s  ${sentence}\n`)
  }

  #draw() {
    if (!process.stderr.isTTY) return
    const running = [...this.#running].map(([fault, progress]) => `${fault}: ${progress}`)
    process.stderr.write(`\r\x1b[K${running.join(' · ').slice(0, process.stderr.columns - 1)}`)
  }
}

/**
 * Reads the lines that experiments add to a file, until told to stop.
 * @param {string} path
 * @param {(line: Row | { fault: string, progress: string }) => void} take
 */
function follow(path, take) {
  let read = 0
  const look = async () => {
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1)
    for (const line of lines.slice(read)) take(JSON.parse(line))
    read = lines.length
  }
  const timer = setInterval(() => void look(), 300)
  return async () => {
    clearInterval(timer)
    await look()
  }
}

/** @returns {Promise<{ rows: Row[], passed: boolean }>} */
async function runAll() {
  const folder = await mkdtemp(join(tmpdir(), 'redisdistro-faults-'))
  const report = join(folder, 'report')
  await writeFile(report, '')
  const files = picked.length > 0 ? picked : everything
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [vitest, 'run', '--maxWorkers', '2', ...files], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      REDISDISTRO_FAULTS: 'long',
      REDISDISTRO_FAULTS_REPORT: report,
      REDISDISTRO_FAULTS_SOAK: soak ?? '',
      REDISDISTRO_FAULTS_SCHEDULES: schedules ?? '',
      NO_COLOR: '1',
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk
    })
  }
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.on(signal, () => child.kill(signal))
  }
  const progress = new Progress()
  /** @type {Row[]} */
  const rows = []
  const stop = follow(report, (line) => {
    if ('finding' in line) rows.push(line)
    progress.show(line)
  })
  const [code] = await once(child, 'close')
  await stop()
  progress.clear()
  await rm(folder, { recursive: true })
  console.error(code === 0 ? output.trim().split('\n').slice(-6).join('\n') : output)
  return { rows, passed: code === 0 }
}

const columns = [
  'fault',
  'acknowledged',
  'lost',
  'run twice',
  'why a run began again',
  'first task after',
  'also seen',
  'rivals, one run each',
]

/** @param {Row} row */
function cells({ fault, finding }) {
  const { acknowledged, lost, twice, again, recovery, lease, seen } = finding
  const after =
    recovery === undefined
      ? ''
      : `${seconds(recovery)}${lease === undefined ? '' : ` (lease ${seconds(lease)})`}`
  const counts = [acknowledged, lost, twice].map((count) => count?.toLocaleString('en') ?? '')
  return [fault, ...counts, again ?? '', after, seen ?? '', rivals[fault] ?? '']
}

/** @param {Row[]} rows */
function asText(rows) {
  const table = new Table({
    head: columns,
    wordWrap: true,
    colWidths: [36, 14, 8, 10, 24, 18, 32, 32],
    style: { head: [], border: [] },
  })
  table.push(...rows.map(cells))
  return table.toString()
}

/** @param {string[]} line */
const row = (line) => `| ${line.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

/** @param {Row[]} rows */
function asMarkdown(rows) {
  const day = new Date().toISOString().slice(0, 10)
  const where = `Node ${process.versions.node}, ${cpus().length} processors`
  return [
    `Run on ${day} (${where}) with \`npm run faults\`.`,
    '',
    row(columns),
    row(columns.map(() => '---')),
    ...rows.map((each) => row(cells(each))),
  ].join('\n')
}

/** @param {Row[]} rows */
async function keep(rows) {
  const text = await readFile(page, 'utf8')
  const begin = text.indexOf(marks.begin)
  const end = text.indexOf(marks.end)
  if (begin === -1 || end === -1) throw new Error(`${page} has no place for the table`)
  const before = text.slice(0, begin + marks.begin.length)
  await writeFile(page, `${before}\n\n${asMarkdown(rows)}\n\n${text.slice(end)}`)
}

const { rows, passed } = await runAll()
console.log(asText(rows))
if (!passed) {
  console.error('Not everything held; the table is of what did.')
  process.exitCode = 1
} else if (write) {
  await keep(rows)
  console.error(`The table stands in docs/guarantees.md.`)
}
