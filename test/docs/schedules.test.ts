import { createKernel } from 'redisdistro'
import { expect, onTestFinished, test } from 'vitest'
import { project } from '../cli/bin.js'
import { read } from '../house/source.js'
import { keepingLog } from '../kernel/stage.js'
import { filesOf } from './page.js'

test("the page's config is one, and its schedules come when the page says", async () => {
  const directory = await project(filesOf('docs/schedules.md'))
  const kernel = await createKernel(undefined, { directory, env: {}, log: keepingLog() })
  onTestFinished(() => kernel.stop())
  expect([...kernel.config.schedules.keys()]).toEqual(['digest', 'reminder'])
  expect(kernel.config.schedules.get('digest')).toMatchObject({ overlap: 'skip', misfire: 'once' })
})

test('each command of the page is one, and none is missing', () => {
  const [, table = ''] = read('docs/schedules.md').split('\n## At run time\n')
  const listed = [...table.matchAll(/^\| `redisdistro schedule (\w+)/gm)].map(([, verb]) => verb)
  const made = [
    ...read('src/cli/schedule.ts').matchAll(/^ {2}(?:schedule\n {4}\.command|one)\('(\w+)'/gm),
  ]
  const verbs = [...made.map(([, verb]) => verb), 'pause'].sort()
  expect(listed.sort()).toEqual(verbs)
})
