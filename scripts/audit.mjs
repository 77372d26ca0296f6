// Asks the registry for advisories on every package of the lockfile, tools included, and fails on
// each that scripts/audit-exceptions.json does not list with a reason and a day until which it holds.
// A registry that gives no advisories, or is out of reach, is said in a line that begins with
// `note:`, and passes; with `--strict`, as a release asks, it fails.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isMain } from './generated.mjs'

/**
 * @typedef {{ id: string, reason: string, until: string }} Exception an advisory (GHSA-…) that is
 *   borne until a day (YYYY-MM-DD)
 * @typedef {{ id: string, name: string, title: string, severity: string }} Advisory
 */

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * The advisories of npm's report, once each; undefined where it is none.
 * @param {any} report what `npm audit --json` prints
 * @returns {Advisory[] | undefined}
 */
export function advisoriesOf(report) {
  if (typeof report?.vulnerabilities !== 'object' || report.vulnerabilities === null) {
    return undefined
  }
  /** @type {Map<string, Advisory>} */
  const found = new Map()
  for (const { via = [] } of Object.values(report.vulnerabilities)) {
    for (const cause of via) {
      // A text names another package of the report, which has the advisory itself.
      if (typeof cause !== 'object') continue
      const { url = '', source, name, title, severity } = cause
      const id = /GHSA-[\w-]+/.exec(url)?.[0] ?? String(source)
      found.set(`${id} ${name}`, { id, name, title, severity })
    }
  }
  return [...found.values()]
}

/**
 * What stands against passing, in words.
 * @param {readonly Advisory[]} advisories
 * @param {readonly Exception[]} exceptions
 * @param {string} today as YYYY-MM-DD
 */
export function judge(advisories, exceptions, today) {
  const unsound = exceptions.filter(
    ({ id, reason, until }) => !id || !reason?.trim() || !/^\d{4}-\d\d-\d\d$/.test(until ?? ''),
  )
  const borne = new Map(exceptions.map((exception) => [exception.id, exception]))
  const open = advisories.filter(({ id }) => (borne.get(id)?.until ?? '') < today)
  const needed = new Set(advisories.map(({ id }) => id))
  const idle = exceptions.filter(({ id }) => !needed.has(id))
  return [
    ...unsound.map(({ id }) => `the exception ${id} needs a reason and a day: until YYYY-MM-DD`),
    ...open.map(({ id, name, title, severity }) => {
      const over = borne.has(id) ? ` (its exception ended on ${borne.get(id)?.until})` : ''
      return `${severity} in ${name}: ${title}, ${id}${over}`
    }),
    ...idle.map(({ id }) => `the exception ${id} is needed no more: take it out`),
  ]
}

/**
 * Why there is no report, in a few words and without addresses.
 * @param {any} report
 */
export function whyNone(report) {
  const { statusCode, error, message = '' } = report ?? {}
  const code = statusCode ?? error?.code ?? /\bE[A-Z_]{4,}\b/.exec(message)?.[0]
  return code === undefined ? 'gave no report' : `answered ${code}`
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function main() {
  const args = ['audit', '--json', '--fetch-retries=0', '--fetch-timeout=20000']
  const { stdout = '' } = spawnSync('npm', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout: 60_000,
  })
  const report = parsed(stdout ?? '')
  const advisories = advisoriesOf(report)
  if (advisories === undefined) {
    const strict = process.argv.includes('--strict')
    console.log(
      `note: advisories were not looked up; asked for them, the registry ${whyNone(report)}`,
    )
    return strict ? 1 : 0
  }
  /** @type {Exception[]} */
  const exceptions = JSON.parse(
    readFileSync(new URL('./audit-exceptions.json', import.meta.url), 'utf8'),
  )
  const faults = judge(advisories, exceptions, new Date().toISOString().slice(0, 10))
  for (const fault of faults) console.error(fault)
  console.log(`${advisories.length} advisories, ${exceptions.length} of them borne`)
  return faults.length === 0 ? 0 : 1
}

if (isMain(import.meta.url)) process.exitCode = main()
