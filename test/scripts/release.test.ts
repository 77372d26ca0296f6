import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { faultsOf, makeSbom } from '../../scripts/sbom.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const tarball = `redisdistro-${manifest.version}.tgz`

async function release(args: readonly string[], env: Record<string, string> = {}) {
  const out = await mkdtemp(join(tmpdir(), 'redisdistro-release-'))
  onTestFinished(() => rm(out, { recursive: true, force: true }))
  const call = [join(root, 'scripts/release.mjs'), '--out', out, ...args]
  const options = { env: { ...process.env, ...env } }
  const ended = await promisify(execFile)(process.execPath, call, options).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      said: error.stdout + error.stderr,
    }),
  )
  return { ...ended, out }
}

test('a dry run leaves the SBOM and the tarball, and publishes nothing', {
  timeout: 60_000,
}, async () => {
  const { code, said, out } = await release(['--only', 'sbom,pack,publish'])
  expect(said).toContain('nothing is published')
  expect(code).toBe(0)
  const files = await readdir(out)
  expect(files.sort()).toEqual([`redisdistro-${manifest.version}.cdx.json`, tarball].sort())
  const sbom = JSON.parse(await readFile(join(out, files[0] ?? ''), 'utf8'))
  expect(faultsOf(sbom)).toEqual([])
  const { stdout } = await promisify(execFile)('tar', ['-tzf', join(out, tarball)])
  const paths = stdout.trim().split('\n').sort()
  expect(paths).toContain('package/dist/src/cli/main.js')
  expect(paths).toContain('package/LICENSE')
  expect(paths.filter((path) => /test|bench|\.env|\.npmrc|\.git|\.log$/i.test(path))).toEqual([
    'package/dist/src/testing.d.ts',
    'package/dist/src/testing.js',
  ])
  expect(
    paths.filter((path) => !/^package\/(dist\/|[A-Z]+(\.md)?$|package\.json$)/.test(path)),
  ).toEqual([])
})

test('what an SBOM lacks, or has too much, is named', () => {
  const sbom = makeSbom()
  const without = sbom.components.filter(({ name }) => name !== 'zod')
  expect(faultsOf({ ...sbom, components: without })).toContain('the dependency zod is missing')
  const more = [...sbom.components, { name: 'vitest', version: '1.0.0' }]
  expect(faultsOf({ ...sbom, components: more })).toEqual(['vitest is a tool'])
})

test('nothing is published from anywhere but CI, or in parts', async () => {
  const none = { CI: '', ACTIONS_ID_TOKEN_REQUEST_URL: '', SIGSTORE_ID_TOKEN: '' }
  const { code, said, out } = await release(['--publish'], none)
  expect(code).toBe(1)
  expect(said).toMatch(/without a commit|no tag|id token of CI|git/)
  expect(existsSync(join(out, tarball))).toBe(false)
  const partly = await release(['--publish', '--only', 'pack'])
  expect(partly.said).toContain('--publish goes with every step')
  expect((await release(['--only', 'nothing'])).said).toContain("no step 'nothing'")
})
