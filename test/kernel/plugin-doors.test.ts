import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { definePlugin, defineTask } from 'redisdistro'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { closePlugins, setUpPlugins } from '../../src/kernel/plugin-setup.js'
import { readConfig } from '../../src/kernel/read-config.js'
import { type Log, silentLog } from '../../src/telemetry/log.js'
import { until } from '../support/redis.js'
import { failureOf, project } from './project.js'
import { keepingLog, kernelOf, testConfig } from './stage.js'

const plugin = (type = 'hello', more = '') => `
import { z } from 'zod'
import { definePlugin, defineTask } from 'redisdistro'
export default definePlugin({ name: '${type}', tasks: [defineTask({ type: '${type}', payload: z.object({}), handle: () => 1 })], ${more} })
`
const config = (value: object) => `export default ${JSON.stringify(value)}\n`

const typesIn = async (directory: string) => [
  ...(await readConfig({ directory, env: {} })).tasks.keys(),
]
const refusalIn = async (directory: string) =>
  (await failureOf(readConfig({ directory, env: {} }))).message

test('a folder outside the project serves only where pluginRoots names it', async () => {
  const outside = await project({ 'tasks/hello.ts': plugin(), 'other.ts': plugin('other') })
  const path = join(outside, 'tasks/hello.ts')
  const closed = await project({ 'redisdistro.config.ts': config({ plugins: [path] }) })
  expect(await refusalIn(closed)).toContain(`${path} lies outside the project ${closed}`)
  expect(await refusalIn(closed)).toContain('pluginRoots')
  const roots = { plugins: [path], pluginRoots: [join(outside, 'tasks')] }
  const open = await project({ 'redisdistro.config.ts': config(roots) })
  expect(await typesIn(open)).toEqual(['hello'])
  const beside = { plugins: [join(outside, 'other.ts')], pluginRoots: roots.pluginRoots }
  const still = await project({ 'redisdistro.config.ts': config(beside) })
  expect(await refusalIn(still)).toContain('lies outside the project')
  const gone = { plugins: [path], pluginRoots: ['./none'] }
  const wrong = await project({ 'redisdistro.config.ts': config(gone) })
  expect(await refusalIn(wrong)).toBe(`pluginRoots: there is no folder ${join(wrong, 'none')}`)
})

test('a link in the project that leads out of it is refused, in one of its folders too', async () => {
  const outside = await project({ 'hello.ts': plugin() })
  const files = {
    'redisdistro.config.ts': config({ plugins: ['./hello.ts'] }),
    'linked/redisdistro.config.ts': config({ plugins: ['./tasks/hello.ts'] }),
  }
  const directory = await project(files)
  await symlink(join(outside, 'hello.ts'), join(directory, 'hello.ts'))
  await symlink(outside, join(directory, 'linked/tasks'))
  expect(await refusalIn(directory)).toContain('lies outside the project')
  expect(await refusalIn(join(directory, 'linked'))).toContain('lies outside the project')
})

test('a path that climbs out of the project is refused, and one within it is fine', async () => {
  const directory = await project({
    'hello.ts': plugin(),
    'app/redisdistro.config.ts': config({ plugins: ['../hello.ts'] }),
    'app/tasks/own.ts': plugin('own'),
    'nested/tasks/own.ts': plugin('own'),
    'app/inner/redisdistro.config.ts': config({ plugins: ['../tasks/own.ts'] }),
    'nested/.config/redisdistrorc.json': JSON.stringify({ plugins: ['../tasks/own.ts'] }),
  })
  expect(await refusalIn(join(directory, 'app'))).toContain('lies outside the project')
  expect(await refusalIn(join(directory, 'app/inner'))).toContain('lies outside the project')
  const file = join(directory, 'nested/.config/redisdistrorc.json')
  expect([...(await readConfig({ file, env: {} })).tasks.keys()]).toEqual(['own'])
})

test('the packages of another project are not this one’s', async () => {
  const other = await project({ 'node_modules/tasks-hello/index.ts': plugin() })
  const path = join(other, 'node_modules/tasks-hello/index.ts')
  const directory = await project({ 'redisdistro.config.ts': config({ plugins: [path] }) })
  expect(await refusalIn(directory)).toContain('lies outside the project')
})

test('a package goes by its name wherever the package manager keeps it', async () => {
  const store = await project({
    'tasks-hello/package.json': '{"name":"tasks-hello","type":"module","exports":"./index.ts"}',
    'tasks-hello/index.ts': plugin(),
  })
  const directory = await project({
    'redisdistro.config.ts': config({ plugins: ['tasks-hello', '@team/tasks'] }),
    'packages/tasks/package.json': '{"name":"@team/tasks","type":"module","exports":"./index.ts"}',
    'packages/tasks/index.ts': plugin('team'),
  })
  await mkdir(join(directory, 'node_modules/@team'), { recursive: true })
  await symlink(join(store, 'tasks-hello'), join(directory, 'node_modules/tasks-hello'))
  await symlink(join(directory, 'packages/tasks'), join(directory, 'node_modules/@team/tasks'))
  expect(await typesIn(directory)).toEqual(['hello', 'team'])
})

test.each([
  'tasks-hello/../../evil',
  'node_modules/../../evil.ts',
  'file:///etc/passwd',
  'data:text/javascript,export default 1',
  'node:fs',
  'a\\b',
  'https://example.com/a.js',
])("'%s' is no package's name", async (name) => {
  const directory = await project({ 'redisdistro.config.ts': config({ plugins: [name] }) })
  expect(await refusalIn(directory)).toContain(`plugin '${name}': it is neither a path`)
})

test.each([
  ['a syntax error', 'export default {\n  a: = 1 }', '/a.ts:2:6: syntax error'],
  ['what it throws', 'throw new Error("no licence")\nexport default 1', '/a.ts:1: no licence'],
  ['a missing module', "import './gone.js'\nexport default 1", 'gone.js'],
  ['a missing package', "import 'no-such-package'\nexport default 1", 'no-such-package'],
  ['an error deeper in', "import './deep.js'\nexport default 1", '/deep.ts:2: too deep'],
  ['no default export', 'export const a = 1', '/a.ts has no default export'],
])('at import %s is told with plugin and file', async (_, text, words) => {
  const directory = await project({
    'a.ts': text,
    'deep.ts': '\nthrow new Error("too deep")\n',
    'redisdistro.config.ts': config({ plugins: ['./a.ts'] }),
  })
  const message = await refusalIn(directory)
  expect(message).toContain("plugin './a.ts': ")
  expect(message).toContain(join(directory, 'a.ts'))
  expect(message).toContain(words)
})

const away = () => Promise.reject(new Error('not to be asked'))
const client = { enqueue: away, enqueueMany: away, task: away, cancel: away }

test('what setup and close throw is told with plugin and file', async () => {
  const directory = await project({
    'a.ts': plugin('a', "setup() { throw new Error('no server') }"),
    'b.ts': plugin('b', "close() { throw new Error('stuck') }"),
    'redisdistro.config.ts': config({ plugins: ['./a.ts', './b.ts'] }),
  })
  const { plugins } = await readConfig({ directory, env: {} })
  const options = { log: silentLog, directory, production: false, client }
  const error = await failureOf(setUpPlugins(plugins, options))
  expect(error.message).toBe(`plugin 'a' (${join(directory, 'a.ts')}): no server`)
  const logged: unknown[] = []
  const log = { ...silentLog, error: (_: string, fields = {}) => void logged.push(fields) }
  await closePlugins(plugins, log as Log)
  expect(logged).toMatchObject([{ plugin: 'b', file: join(directory, 'b.ts') }])
})

test('what a handler throws for good is logged with plugin and type', async () => {
  const logged: unknown[] = []
  const log = { ...keepingLog(), warn: (_: string, fields = {}) => void logged.push(fields) }
  const fail = defineTask({
    type: 'fail',
    payload: z.object({}),
    retry: { attempts: 1 },
    handle: () => Promise.reject(new Error('broke')),
  })
  const plugins = [definePlugin({ name: 'failing', tasks: [fail] })]
  const kernel = await kernelOf(testConfig({ plugins, http: false }), { log })
  await kernel.start()
  await kernel.client.enqueue('fail', {})
  const line = await until(() => logged.find((fields) => 'type' in (fields as object)))
  expect(line).toMatchObject({ plugin: 'failing', type: 'fail', error: { message: 'broke' } })
})

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'])(
  "'%s' is a type, a queue and a dead-letter key like any other",
  async (name) => {
    const task = (type: string, attempts: number, handle: () => unknown) =>
      defineTask({ type, payload: z.object({}), retry: { attempts }, deadLetter: name, handle })
    const plugins = [
      definePlugin({
        name,
        tasks: [
          task(name, 2, () => 'ran'),
          task('fails', 1, () => {
            throw new Error('broke')
          }),
        ],
      }),
    ]
    const kernel = await kernelOf(testConfig({ plugins, http: false }), {
      env: { QUEUE_KEY: name },
    })
    expect(kernel.config.tasks.get(name)).toMatchObject({ queue: name, deadLetter: name })
    await kernel.start()
    const { id } = await kernel.client.enqueue(name, {})
    const ended = await until(async () => {
      const task = await kernel.client.task(id)
      return task?.state === 'completed' && task
    })
    expect(ended).toMatchObject({ type: name, queue: name, result: 'ran', attempt: 1 })
    await kernel.client.enqueue('fails', {})
    const dead = async () => (await kernel.operator.deadLetters()).some((each) => each.count > 0)
    await until(dead)
    expect(await kernel.operator.deadLetters()).toEqual([{ key: name, count: 1 }])
    expect(await kernel.operator.queue(name)).toMatchObject({ name })
    await expect(kernel.client.enqueue('nothing', {})).rejects.toMatchObject({
      code: 'unknown_type',
    })
  },
)

test.each(['constructor', '__proto__', 'toString'])("nobody knows '%s' of itself", async (name) => {
  const kernel = await kernelOf(testConfig({ http: false }))
  await expect(kernel.client.enqueue(name, {})).rejects.toMatchObject({ code: 'unknown_type' })
  await expect(kernel.operator.queue(name)).rejects.toMatchObject({ code: 'unknown_queue' })
  expect(await kernel.operator.task(name)).toBeUndefined()
})

test("'__proto__' as a key of the config is refused by its path, wherever it stands", async () => {
  for (const text of ['{"queues":{"__proto__":{}}}', '{"__proto__":{"plugins":[]}}']) {
    const directory = await project({ '.redisdistrorc.json': text })
    expect(await refusalIn(directory)).toMatch(/__proto__: is no name that can be used here/)
  }
})
