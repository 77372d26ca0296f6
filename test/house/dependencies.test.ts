import { expect, test } from 'vitest'
import { read } from './source.js'

interface Manifest {
  readonly dependencies: Record<string, string>
}

interface Lockfile {
  readonly packages: Record<
    string,
    { dev?: boolean; hasInstallScript?: boolean; dependencies?: Record<string, string> }
  >
}

const manifest: Manifest = JSON.parse(read('package.json'))
const lock: Lockfile = JSON.parse(read('package-lock.json'))
const page = read('docs/dependencies.md')

const listed = [...page.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)]

test('each direct dependency has its reason, and nothing else has one', () => {
  expect(listed.map(([, name]) => name)).toEqual(Object.keys(manifest.dependencies))
  expect(listed.filter(([, , why = '']) => why.trim().length < 5)).toEqual([])
})

test('direct dependencies are pinned, and locked as they are pinned', () => {
  const loose = Object.entries(manifest.dependencies).filter(([, range]) => !/^\d/.test(range))
  expect(loose).toEqual([])
  expect(lock.packages['']?.dependencies).toEqual(manifest.dependencies)
})

const installed = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev)

test('a user installs no more packages than the page says', () => {
  const most = Number(/are (\d+) packages at most/.exec(page)?.[1])
  expect(installed.length).toBeLessThanOrEqual(most)
  expect(most - installed.length).toBeLessThan(10)
})

test('nothing that a user installs runs a script on the way', () => {
  expect(installed.filter(([, entry]) => entry.hasInstallScript).map(([path]) => path)).toEqual([])
})
