// Lints the package as a user would get it: packs the built tree, then publint and attw on the
// tarball, and a look at what is in it. Needs a build and no network.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'redisdistro-pack-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return stdout
  console.error(`${command} ${args.join(' ')}\n${stdout}${stderr}`)
  process.exit(1)
}

/** @param {string} name */
const bin = (name) => join(root, 'node_modules/.bin', name)

/** @param {string} path of a built file */
function hasSource(path) {
  const source = path.replace(/^dist\//, '')
  return existsSync(join(root, source)) || existsSync(join(root, source.replace(/js$/, 'ts')))
}

const packed = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder])
const [{ filename, files }] = JSON.parse(packed.slice(packed.indexOf('[')))
/** @type {string[]} */
const paths = files.map((/** @type {{ path: string }} */ file) => file.path)
const strays = paths.filter(
  (path) => !/^(dist\/(src|plugins)\/|[A-Z]+(\.md)?$|package\.json$)/.test(path),
)
const missing = ['README.md', 'LICENSE', 'CHANGELOG.md'].filter((path) => !paths.includes(path))
const stale = paths.filter(
  (path) => path.endsWith('.js') && path.startsWith('dist/') && !hasSource(path),
)
for (const path of strays) console.error(`${path} does not belong into the package`)
for (const path of stale) console.error(`${path} has no source any more: delete dist and build`)
for (const path of missing) console.error(`${path} is missing from the package`)

const tarball = join(folder, filename)
run(bin('publint'), ['run', tarball, '--strict'])
run(bin('attw'), [
  tarball,
  '--profile',
  'esm-only',
  '--no-definitely-typed',
  '--no-emoji',
  '--no-color',
])
console.log(`${paths.length} files in ${filename}`)
process.exit(strays.length + stale.length + missing.length > 0 ? 1 : 0)
