// Looks at every tracked text: nothing in it may belong to one machine or one moment.
import { spawnSync } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const self = 'scripts/check-tree.mjs'

/** What no file may hold, and why. */
const everywhere = [
  {
    pattern: /(?<![\w.@/:-])\/(work|home\/\w+|Users\/\w+|root)\/[\w.-]+/,
    why: 'a path of one machine',
  },
  { pattern: /(?<![\w&/'"`[-]|\]\()#\d{1,5}\b|\bGH-\d+/, why: 'an issue number' },
  { pattern: /\b(issue|pull request|PR) #?\d+\b/i, why: 'an issue number' },
  { pattern: /registry\.npmjs|registry\.yarnpkg|npm\.pkg\.github/, why: "a registry's host" },
  { pattern: /\b(TODO|FIXME|XXX)\b/, why: 'work left undone' },
]

const lockfile = [
  { pattern: /"resolved":\s*"https?:/, why: 'a download address: keep .npmrc as it is' },
  { pattern: /https?:\/\/[^"]*\.tgz/, why: 'a download address' },
]

/** Every file of the repository, or without git every file that is not made by a tool. */
function allFiles() {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return stdout.split('\0').filter(Boolean)
  const made = /^(node_modules|dist|coverage|\.redisdistro|\.git|\.env)$/
  return readdirSync(root)
    .filter((entry) => !made.test(entry))
    .flatMap((entry) => {
      if (isFile(entry)) return [entry]
      const below = readdirSync(join(root, entry), { recursive: true, encoding: 'utf8' })
      return below.map((path) => join(entry, path).replaceAll('\\', '/'))
    })
}

/** @param {string} file */
const isFile = (file) => lstatSync(join(root, file), { throwIfNoEntry: false })?.isFile() === true
const binary = /\.(png|jpe?g|gif|ico|svg|woff2?|gz|tgz|rdb|aof)$/
const files = allFiles().filter((file) => file !== self && !binary.test(file) && isFile(file))

const faults = files.flatMap((file) => {
  const rules = file === 'package-lock.json' ? lockfile : everywhere
  return readFileSync(join(root, file), 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      const rule = rules.find(({ pattern }) => pattern.test(line))
      return rule ? [`${file}:${index + 1} holds ${rule.why}: ${line.trim().slice(0, 100)}`] : []
    })
})
for (const fault of faults) console.error(fault)
console.log(`${files.length} files`)
process.exit(faults.length > 0 || files.length === 0 ? 1 : 0)
