// Finds a redis-server for the test suite, or fetches one into a cache folder of its own.
// `node scripts/redis-server.mjs` prints its path.
import { execFile } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findRedisServer } from '../src/broker/embedded/program.js'

/** @typedef {(args: readonly string[]) => Promise<{ stdout: string }>} Apt */

const run = promisify(execFile)

const howToInstall = [
  'No redis-server was found, and none could be fetched.',
  '  macOS:          brew install redis',
  '  Debian, Ubuntu: sudo apt-get install redis-server',
  '  Fedora:         sudo dnf install valkey   (older: redis)',
  'or set REDISDISTRO_REDIS_SERVER to the path of a redis-server or valkey-server.',
].join('\n')

/**
 * The path of a redis-server: the one that REDISDISTRO_REDIS_SERVER names, one on PATH, or one in
 * the cache (`redisdistro/redis-server` in XDG_CACHE_HOME or ~/.cache), which on Debian and Ubuntu
 * is filled without root and without touching the system. Only where CI=true asks and root runs
 * it, and the cache cannot be filled, Redis is installed. Throws with what to do otherwise.
 * @returns {Promise<string>}
 */
export async function findOrFetch() {
  const found = await findRedisServer()
  if (found !== undefined) return found
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'redisdistro')
  const cached = join(cache, 'redis-server', 'redis-server')
  if (await answers(cached)) return cached
  const reasons = []
  for (const way of [() => fetchInto(cache), installInCi]) {
    try {
      const path = await way()
      if (path !== undefined) return path
    } catch (error) {
      reasons.push(`  ${wordsOf(error)}`)
    }
  }
  throw new Error([howToInstall, ...(reasons.length > 0 ? ['Tried:'] : []), ...reasons].join('\n'))
}

/**
 * Debian's own packages, unpacked beside a script that lets the program find its libraries.
 * @param {string} cache
 */
async function fetchInto(cache) {
  if (!(await has('apt-get')) || !(await has('dpkg-deb'))) return undefined
  say(`fetching redis-server into ${cache} (once; the system is left alone)`)
  await mkdir(cache, { recursive: true })
  const staging = await mkdtemp(join(cache, 'fetching-'))
  try {
    const apt = await aptIn(staging)
    await downloadAndUnpack(apt, staging)
    await rm(join(staging, 'apt'), { recursive: true })
    const wrapper = await writeWrapper(staging)
    const { stdout } = await run(wrapper, ['--version'])
    const path = await putInPlace(staging, join(cache, 'redis-server'))
    say(`fetched ${stdout.trim()}`)
    return path
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

/**
 * apt-get with the system's package lists, or with lists of its own where these are empty.
 * @param {string} staging
 * @returns {Promise<Apt>}
 */
async function aptIn(staging) {
  const own = join(staging, 'apt')
  await mkdir(join(own, 'archives', 'partial'), { recursive: true })
  await mkdir(join(own, 'lists', 'partial'), { recursive: true })
  const config = join(own, 'apt.conf')
  await writeFile(
    config,
    [
      `Dir::Cache "${own}";`,
      // As oneself: apt's own user `_apt` may not write here, and only root can become it.
      `APT::Sandbox::User "${userInfo().username}";`,
      // Hooks that containers have to clean the system's cache, which only root may.
      '#clear APT::Update::Post-Invoke;',
      '',
    ].join('\n'),
  )
  /** @type {(settings: readonly string[]) => Apt} */
  const apt = (settings) => (args) =>
    run('apt-get', ['-q', '-c', config, ...settings, ...args], {
      cwd: own,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, LC_ALL: 'C' },
    })
  const system = apt([])
  if (await system(['download', '--print-uris', 'redis-server']).catch(() => undefined)) {
    return system
  }
  say('the package lists of this system are empty; reading them into the cache')
  const alone = apt(['-o', `Dir::State::lists=${join(own, 'lists')}`])
  await alone(['update'])
  return alone
}

/**
 * redis-server, redis-tools and whatever else apt would have to install for them here.
 * @param {Apt} apt
 * @param {string} staging
 */
async function downloadAndUnpack(apt, staging) {
  const wanted = ['redis-server', 'redis-tools']
  const plan = ['install', '--simulate', '--no-install-recommends', ...wanted]
  const { stdout } = await apt(plan).catch(() => ({ stdout: '' }))
  const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => `${match[1]}`)
  await download(apt, staging, [...new Set([...wanted, ...missing])])
  const lacking = await lackingLibraries(staging)
  if (lacking.length === 0) return
  // Where the plan did not work (a half-installed system), the libraries go by their usual names.
  const named = [...new Set(lacking.flatMap((library) => packagesOf(library)))]
  for (const name of named) await download(apt, staging, [name]).catch(() => undefined)
  const still = await lackingLibraries(staging)
  if (still.length > 0) throw new Error(`libraries not found: ${still.join(', ')}`)
}

/**
 * @param {Apt} apt
 * @param {string} staging
 * @param {readonly string[]} names
 */
async function download(apt, staging, names) {
  await apt(['download', ...names])
  const folder = join(staging, 'apt')
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.deb')) continue
    await run('dpkg-deb', ['-x', join(folder, name), join(staging, 'root')])
    await rm(join(folder, name))
  }
}

/** @param {string} staging */
async function lackingLibraries(staging) {
  if (!(await has('ldd'))) return []
  const { stdout } = await run('ldd', [programIn(staging)], {
    env: { ...process.env, LD_LIBRARY_PATH: (await libraryFolders(staging)).join(':') },
  })
  return [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map((match) => `${match[1]}`)
}

/**
 * `liblzf.so.1` comes in `liblzf1`, `liblua5.1.so.0` in `liblua5.1-0`, some with `t64` at the end.
 * @param {string} library
 */
function packagesOf(library) {
  const [, stem = library, version = ''] = /^(.*)\.so\.(\d+)/.exec(library) ?? []
  const name = `${stem}${/\d$/.test(stem) ? '-' : ''}${version}`.toLowerCase()
  return [name, `${name}t64`]
}

/** @param {string} staging */
const programIn = (staging) => join(staging, 'root', 'usr', 'bin', 'redis-server')

/** @param {string} staging */
async function libraryFolders(staging) {
  const names = await readdir(join(staging, 'root'), { recursive: true })
  const libraries = names.filter((name) => /\.so(\.\d+)*$/.test(name))
  return [...new Set(libraries.map((name) => dirname(join(staging, 'root', name))))]
}

/** @param {string} staging */
async function writeWrapper(staging) {
  const folders = await libraryFolders(staging)
  const paths = folders.map((folder) => `$here/${relative(staging, folder)}`)
  const path = join(staging, 'redis-server')
  await writeFile(
    path,
    [
      '#!/bin/sh',
      // A template, for the shell's own placeholder.
      `here=\${0%/*}`,
      ...(paths.length > 0
        ? [`export LD_LIBRARY_PATH="${paths.join(':')}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`]
        : []),
      'exec "$here/root/usr/bin/redis-server" "$@"',
      '',
    ].join('\n'),
  )
  await chmod(path, 0o755)
  return path
}

/**
 * Another run may have been quicker; then its copy serves.
 * @param {string} staging
 * @param {string} target
 */
async function putInPlace(staging, target) {
  const path = join(target, 'redis-server')
  if (existsSync(target) && !(await answers(path))) await rm(target, { recursive: true })
  await rename(staging, target).catch(async (error) => {
    if (!(await answers(path))) throw error
  })
  return path
}

async function installInCi() {
  if (process.env.CI !== 'true' || process.getuid?.() !== 0 || !(await has('apt-get'))) return
  say('CI: installing redis-server')
  await run('apt-get', ['update', '-q'])
  await run('apt-get', ['install', '-qy', '--no-install-recommends', 'redis-server'], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  return findRedisServer()
}

/** @param {string} program */
const answers = (program) =>
  run(program, ['--version']).then(
    () => true,
    () => false,
  )

const has = answers

/** @param {unknown} error */
function wordsOf(error) {
  if (!(error instanceof Error)) return String(error)
  const said = 'stderr' in error ? String(error.stderr).trim() : ''
  return said || error.message
}

/** @param {string} words */
function say(words) {
  process.stderr.write(`redis-server: ${words}\n`)
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${await findOrFetch()}\n`)
  } catch (error) {
    process.stderr.write(`${wordsOf(error)}\n`)
    process.exitCode = 1
  }
}
