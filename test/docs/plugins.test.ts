import { join } from 'node:path'
import { createKernel, type Task } from 'redisdistro'
import { expect, onTestFinished, test } from 'vitest'
import { project } from '../kernel/project.js'
import { keepingLog } from '../kernel/stage.js'
import { startRedis } from '../support/redis.js'
import { fencesOf, filesOf, runFile } from './page.js'
import { typeErrors } from './types.js'

const page = 'docs/plugins.md'
const files = filesOf(page)

test('the page shows the files that it speaks of', () => {
  expect(Object.keys(files)).toEqual([
    'plugins/greet.ts',
    'redisdistro.config.ts',
    'plugins/backup.ts',
    'plugins/report.ts',
    'plugins/parcel.ts',
    'plugins/signup.ts',
    'plugins/greet.check.ts',
  ])
})

test('its TypeScript is correct', () => {
  expect(typeErrors(files)).toEqual([])
  const wrong = {
    'wrong.ts': "import { defineTask } from 'redisdistro'\ndefineTask({ typ: 'x' })\n",
  }
  expect(typeErrors(wrong)).toEqual([expect.stringContaining("'typ' does not exist")])
}, 60_000)

test("its check of a plugin's handlers holds", async () => {
  await runFile(join(await project(files), 'plugins/greet.check.ts'))
})

test('its plugins run in a kernel of its config', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const directory = await project(files)
  const env = { REDIS_URL: redis.url, PORT: '0' }
  const kernel = await createKernel(undefined, { directory, env, log: keepingLog() })
  onTestFinished(() => kernel.stop())
  const { url } = await kernel.start()
  const run = async (type: string, payload: unknown) => {
    const { id } = await kernel.client.enqueue(type, payload)
    return (await (await fetch(`${url}/tasks/${id}?wait=15s`)).json()) as Task
  }
  const payload = fencesOf(page).find(({ language }) => language === 'json')?.text ?? ''
  expect(await run('greet', JSON.parse(payload))).toMatchObject({
    state: 'completed',
    result: { words: 'Hello Ada! Hello Ada!', attempt: 1 },
  })
  expect(await run('report', { to: 'Ada' })).toMatchObject({ result: { last: 'Dear Ada' } })
  const { id, result } = await run('signup', { name: 'Ada' })
  expect(result).toEqual({ greeting: `greet-${id}` })
  expect(await kernel.client.task(`greet-${id}`)).toMatchObject({ payload: { name: 'Ada' } })
  expect(await run('backup', { answer: 'gone' })).toMatchObject({
    state: 'dead',
    deadLetter: 'dead:backup',
  })
})
