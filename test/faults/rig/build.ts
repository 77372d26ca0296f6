import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * A copy of the built product whose every script differs, as one does that is of another release; it
 * goes with the test. Resolves with its program.
 */
export async function otherBuild(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'redisdistro-build-')))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await mkdir(join(directory, 'dist'))
  await cp(join(root, 'dist'), join(directory, 'dist'), { recursive: true })
  await cp(join(root, 'package.json'), join(directory, 'package.json'))
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  const script = join(directory, 'dist/src/broker/script.js')
  const text = await readFile(script, 'utf8')
  const composed = "lines.join('\\n')}\\n"
  if (!text.includes(composed)) throw new Error(`${script} composes scripts in another way`)
  await writeFile(script, text.replace(composed, `${composed}-- another build\\n`))
  return join(directory, 'dist/src/cli/main.js')
}
