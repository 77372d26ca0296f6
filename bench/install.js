import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** @param {string} path */
const packageAt = (path) => JSON.parse(readFileSync(`${folder}${path}/package.json`, 'utf8'))

/** The packages that the benchmark compares with, and the version that it wants of each. */
const wanted = () =>
  Object.entries(/** @type {Record<string, string>} */ (packageAt('.').dependencies))

/** @param {[string, string]} dependency */
const isThere = ([name, version]) =>
  existsSync(`${folder}node_modules/${name}/package.json`) &&
  packageAt(`node_modules/${name}`).version === version

/**
 * Installs the benchmark's own packages where they lack or are of other versions.
 * @param {(words: string) => void} say
 */
export async function installRivals(say) {
  if (wanted().every(isThere)) return
  say('installing what it compares with, in bench/ (once)')
  const child = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    shell: process.platform === 'win32',
  })
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    // The reason stands first, and how npm is used behind it.
    words = `${words}${text}`.slice(0, 2000)
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`npm ci failed in bench/ with ${code}\n${words}`)
}

/** Each rival's name with its version. */
export const versions = () => Object.fromEntries(wanted())
