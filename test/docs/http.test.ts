import type { Task } from 'redisdistro'
import { beforeAll, expect, test } from 'vitest'
import { errorCodes } from '../../src/core/errors.js'
import { filesBelow, read } from '../house/source.js'
import { kernelOf, testConfig } from '../kernel/stage.js'
import { fencesOf } from './page.js'

const page = read('docs/http.md')
const routes = [...page.matchAll(/^\| `([A-Z]+) (\/\S*)` \|/gm)].map(
  ([, method = '', path = '']) => ({ method, path }),
)

/** The routes of the source, by the words of their registration; `${move}` as it is. */
function registered(): string[] {
  const files = filesBelow('src/http', /\.ts$/).map(read)
  const calls = files.flatMap((text) => [
    ...text.matchAll(/\bapp\.(get|post|put|delete)(?:<[^(]*>)?\(\s*['`](\/[^'`]*)['`]/g),
  ])
  return calls.map(([, method = '', path = '']) => `${method.toUpperCase()} ${path}`)
}

beforeAll(() => {
  expect(routes.length).toBeGreaterThan(20)
})

test('every route of the source is on the page', () => {
  const listed = routes.map(({ method, path }) => `${method} ${path}`)
  const missing = registered().filter((route) => {
    const pattern = new RegExp(`^${route.replace(/\$\{\w+\}/g, '\\w+')}$`)
    return !listed.some((known) => pattern.test(known))
  })
  expect(registered().length).toBeGreaterThan(15)
  expect(missing).toEqual([])
})

test('every route of the page exists', async () => {
  const kernel = await kernelOf(testConfig())
  const { url } = await kernel.start({ roles: ['producer'] })
  for (const { method, path } of routes) {
    const response = await fetch(`${url}${path.replace(/:\w+/g, 'none')}`, { method })
    const { code } = response.headers.get('content-type')?.includes('problem')
      ? ((await response.json()) as { code: string })
      : { code: undefined }
    expect([method, path, code]).not.toContain('unknown_route')
  }
})

test('the codes on the page are codes of the table', () => {
  const [, errors = ''] = page.split('\n## Errors\n')
  const rows = [...errors.matchAll(/^\| (\d{3}) \| (.*?) \|/gm)]
  const listed = rows.flatMap(([, , cell = '']) => [...cell.matchAll(/`(\w+)`/g)])
  expect(listed.length).toBeGreaterThan(15)
  expect(
    listed.map(([, code]) => code).filter((code) => !Object.hasOwn(errorCodes, code ?? '')),
  ).toEqual([])
})

test('a task has the fields that the page shows', async () => {
  const shown = JSON.parse(fencesOf('docs/http.md').find((f) => f.language === 'json')?.text ?? '')
  const kernel = await kernelOf(testConfig())
  const { url } = await kernel.start({ roles: ['producer'] })
  const { id } = await kernel.client.enqueue('add', { a: 1, b: 2 }, { runAt: 'in 2 hours' })
  const task = (await (await fetch(`${url}/tasks/${id}`)).json()) as Task
  expect(Object.keys(task).sort()).toEqual(Object.keys(shown).sort())
  expect(task.why).toMatch(/^due in (2h|1h 59m), at /)
})
