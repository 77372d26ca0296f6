// The bill of materials of what a user installs: every package of production in the lockfile, as
// CycloneDX. Of npm's own answer for `--omit dev` those are missing that a tool needs as well, so
// that it is asked in a folder whose lockfile knows of no tools.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {string} name */
const readJson = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'))

/**
 * The lockfile without what is for development alone.
 * @param {any} lock
 */
function production(lock) {
  const entries = Object.entries(lock.packages).filter(([, { dev }]) => !dev)
  const packages = Object.fromEntries(entries)
  const { devDependencies: _, ...own } = packages['']
  return { ...lock, packages: { ...packages, '': own } }
}

/**
 * Names of packages as SBOMs split them.
 * @param {{ group?: string, name: string }} component
 */
const nameOf = ({ group, name }) => (group ? `${group}/${name}` : name)

/**
 * The SBOM as an object.
 * @returns {{ bomFormat: string, metadata: { component: { name: string, version: string } },
 *   components: { group?: string, name: string, version: string }[] }}
 */
export function makeSbom() {
  const folder = mkdtempSync(join(tmpdir(), 'redisdistro-sbom-'))
  try {
    const { devDependencies: _, scripts: __, ...manifest } = readJson('package.json')
    const cwd = join(folder, manifest.name)
    mkdirSync(cwd)
    writeFileSync(join(cwd, 'package.json'), JSON.stringify(manifest))
    const lock = production(readJson('package-lock.json'))
    writeFileSync(join(cwd, 'package-lock.json'), JSON.stringify(lock))
    const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only']
    const { status, stdout, stderr } = spawnSync('npm', args, {
      cwd,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    })
    if (status !== 0) throw new Error(`npm sbom failed:\n${stderr}${stdout}`)
    return JSON.parse(stdout)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * What is wrong with an SBOM of this package, in words; empty where nothing is.
 * @param {ReturnType<typeof makeSbom>} sbom
 */
export function faultsOf(sbom) {
  const { name, version, dependencies, devDependencies } = readJson('package.json')
  const named = new Set(sbom.components.map(nameOf))
  const locked = Object.entries(production(readJson('package-lock.json')).packages)
  const paths = locked.map(([path]) => path.replace(/^.*node_modules\//, '')).filter(Boolean)
  const tools = Object.keys(devDependencies).filter((tool) => !paths.includes(tool))
  const { component } = sbom.metadata
  return [
    ...(sbom.bomFormat === 'CycloneDX' ? [] : ['it is not CycloneDX']),
    ...(component.name === name && component.version === version
      ? []
      : [`it is of ${component.name} ${component.version}`]),
    ...Object.keys(dependencies)
      .filter((one) => !named.has(one))
      .map((one) => `the dependency ${one} is missing`),
    ...paths.filter((one) => !named.has(one)).map((one) => `the package ${one} is missing`),
    ...tools.filter((one) => named.has(one)).map((one) => `${one} is a tool`),
  ]
}
