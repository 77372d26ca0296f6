// `npm run release`: everything that a release needs, one step after the other; the first that
// fails ends it. As it is it publishes nothing: what would be published is left in release/, to be
// looked at. With `--publish` it is published with provenance, which only CI can sign.
// `--only sbom,pack` runs those steps alone; `--out FOLDER` leaves the files there.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { faultsOf, makeSbom } from './sbom.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { name, version, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const { values: flags } = parseArgs({
  options: {
    publish: { type: 'boolean', default: false },
    only: { type: 'string' },
    out: { type: 'string', default: 'release' },
  },
})
const out = resolve(root, flags.out)

/** @param {string} words */
function fail(words) {
  console.error(words)
  process.exit(1)
}

/**
 * Runs a program with its output shown.
 * @param {string} command
 * @param {string[]} args
 */
function show(command, ...args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) fail(`${command} ${args.join(' ')} failed: no release`)
}

/**
 * The output of a program.
 * @param {string} command
 * @param {string[]} args
 */
function outputOf(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) fail(`${command} ${args.join(' ')} failed: no release\n${stderr}`)
  return stdout.trim()
}

/** Only what is committed and tagged, and only from where provenance can be signed. */
function ready() {
  if (!flags.publish) return
  if (outputOf('git', 'status', '--porcelain') !== '') fail('there are changes without a commit')
  const tags = outputOf('git', 'tag', '--points-at', 'HEAD').split('\n')
  if (!tags.includes(`v${version}`)) fail(`this commit has no tag v${version}`)
  const signs = process.env.ACTIONS_ID_TOKEN_REQUEST_URL ?? process.env.SIGSTORE_ID_TOKEN
  if (!process.env.CI || !signs) {
    fail('provenance is signed by an id token of CI (permission id-token: write): publish there')
  }
}

function sbom() {
  const made = makeSbom()
  const faults = faultsOf(made)
  if (faults.length > 0) fail(`the SBOM is wrong:\n  ${faults.join('\n  ')}`)
  const file = join(out, `${name}-${version}.cdx.json`)
  writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`)
  console.log(`${file}: ${made.components.length} packages`)
}

/** What a package of ours holds, and nothing else. */
const belongs = /^(dist\/(src|plugins)\/[\w./-]+\.(js|d\.ts)(\.map)?|[A-Z]+(\.md)?|package\.json)$/

function pack() {
  const json = outputOf('npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', out)
  const [{ filename, files: packed }] = JSON.parse(json.slice(json.indexOf('[')))
  const paths = packed.map((/** @type {{ path: string }} */ { path }) => path)
  const strays = paths.filter((/** @type {string} */ path) => !belongs.test(path))
  const wanted = [
    'README.md',
    'LICENSE',
    ...files.filter((/** @type {string} */ f) => /^[A-Z]/.test(f)),
  ]
  const missing = wanted.filter((path) => !paths.includes(path))
  if (strays.length > 0) fail(`these do not belong into the package:\n  ${strays.join('\n  ')}`)
  if (missing.length > 0) fail(`these are missing from the package: ${missing.join(', ')}`)
  console.log(`${join(out, filename)}: ${paths.length} files`)
}

function publish() {
  const tarball = join(out, `${name}-${version}.tgz`)
  if (flags.publish) return show('npm', 'publish', tarball, '--provenance', '--access', 'public')
  console.log(`nothing is published; --publish would publish ${tarball} with provenance`)
}

/** @type {Record<string, () => void>} */
const steps = {
  ready,
  build: () => show('npm', 'run', '-s', 'build'),
  check: () => show('npm', 'run', '-s', 'check'),
  audit: () => show(process.execPath, 'scripts/audit.mjs', ...(flags.publish ? ['--strict'] : [])),
  test: () => show('npm', 'test'),
  faults: () => show('npm', 'run', '-s', 'faults'),
  sbom,
  pack,
  publish,
}

const picked = flags.only?.split(',') ?? Object.keys(steps)
const unknown = picked.find((step) => !(step in steps))
if (unknown !== undefined) fail(`no step '${unknown}'; there are: ${Object.keys(steps).join(', ')}`)
if (flags.publish && flags.only !== undefined) fail('--publish goes with every step')
mkdirSync(out, { recursive: true })
for (const [step, run] of Object.entries(steps)) {
  if (!picked.includes(step)) continue
  console.log(`— ${step}`)
  run()
}
