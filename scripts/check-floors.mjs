// Holds the floors of the house: runs dependency-cruiser over src and plugins, prints each
// violation with the reason of its rule, and fails when any source file was not looked at.
// An argument names another tree to look at, as the test of this script does.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const home = fileURLToPath(new URL('..', import.meta.url))
const root = process.argv[2] ?? home
const rooms = ['src', 'plugins']
const cli = join(home, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')

const run = spawnSync(
  process.execPath,
  [cli, ...rooms, '--config', join(home, '.dependency-cruiser.cjs'), '--output-type', 'json'],
  { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 },
)
if (!run.stdout.startsWith('{')) {
  console.error(run.stderr || run.stdout)
  process.exit(1)
}
/** @type {import('dependency-cruiser').ICruiseResult} */
const { modules, summary } = JSON.parse(run.stdout)

// With a compiler that it cannot use the tool sees no modules and passes: count them here.
const seen = new Set(modules.map((module) => module.source))
/** @param {string} room */
const filesOf = (room) =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((path) => /(?<!\.d)\.[cm]?[jt]sx?$/.test(path))
    .map((path) => join(room, path).replaceAll('\\', '/'))
const files = rooms.flatMap(filesOf)
const unseen = files.filter((file) => !seen.has(file))
const links = modules
  .filter((module) => files.includes(module.source))
  .reduce((sum, module) => sum + module.dependencies.length, 0)
if (filesOf('src').length === 0 || unseen.length > 0 || links === 0) {
  console.error(
    `Of ${files.length} source files ${unseen.length} were not looked at, ${links} links.`,
  )
  for (const file of unseen) console.error(`  ${file}`)
  process.exit(1)
}

const reasons = new Map(
  (summary.ruleSetUsed?.forbidden ?? []).map((rule) => [rule.name, rule.comment]),
)
for (const { from, to, rule, cycle, via } of summary.violations) {
  const way = (cycle ?? via ?? []).map((step) => step.name).join(' → ')
  console.error(`${rule.name}: ${from} → ${way || to}\n  ${reasons.get(rule.name) ?? ''}`)
}
console.log(`${files.length} files, ${links} imports, ${summary.violations.length} violations`)
process.exit(summary.violations.length > 0 ? 1 : 0)
