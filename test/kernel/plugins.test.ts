import { join } from 'node:path'
import { defineConfig, definePlugin, defineTask, type Plugin, type PluginClient } from 'redisdistro'
import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { closePlugins, setUpPlugins } from '../../src/kernel/plugin-setup.js'
import { readConfig } from '../../src/kernel/read-config.js'
import { silentLog } from '../../src/telemetry/log.js'
import { until } from '../support/redis.js'
import { failureOf, project } from './project.js'
import { kernelOf, testConfig } from './stage.js'

const hello = (name = 'hello', type = name) => `
import { z } from 'zod'
import { definePlugin, defineTask } from 'redisdistro'
const ${name}: unknown = 1
export default definePlugin({ name: '${name}', tasks: [defineTask({ type: '${type}', payload: z.object({}), handle: () => 1 })] })
`
const configurable = `
import { z } from 'zod'
import { definePlugin, defineTask } from 'redisdistro'
export default definePlugin({
  name: 'sized',
  options: z.strictObject({ size: z.int().default(1) }),
  tasks: (options) => [defineTask({ type: 'sized-' + options.size, payload: z.object({}), handle: () => 1 })],
})
`
const listing = (plugins: unknown) => `export default { plugins: ${JSON.stringify(plugins)} }\n`

async function typesOf(files: Record<string, string>): Promise<string[]> {
  const { tasks } = await readConfig({ directory: await project(files), env: {} })
  return [...tasks.keys()]
}

async function refusal(files: Record<string, string>): Promise<string> {
  const directory = await project(files)
  const error = await failureOf(readConfig({ directory, env: {} }))
  expect(error).toMatchObject({ code: 'bad_config' })
  return error.message.replaceAll(directory, '')
}

test('a plugin is given as a path, in TypeScript too, relative to the config', async () => {
  const files = {
    'plugins/hello.ts': hello(),
    'redisdistro.config.ts': listing(['./plugins/hello.ts']),
  }
  expect(await typesOf(files)).toEqual(['hello'])
  expect(
    await typesOf({ ...files, 'redisdistro.config.ts': listing(['./plugins/hello']) }),
  ).toEqual(['hello'])
  expect(
    await typesOf({ ...files, 'redisdistro.config.ts': listing(['./plugins/hello.js']) }),
  ).toEqual(['hello'])
  const nested = {
    'plugins/hello.ts': hello(),
    '.config/redisdistrorc.json': '{"plugins":["../plugins/hello.ts"]}',
  }
  expect(await typesOf(nested)).toEqual(['hello'])
})

test('a plugin is given as the name of a package', async () => {
  const files = {
    'node_modules/tasks-hello/package.json':
      '{"name":"tasks-hello","type":"module","exports":"./index.ts"}',
    'node_modules/tasks-hello/index.ts': hello(),
    'redisdistro.config.ts': listing(['tasks-hello', 'redisdistro/plugins/email']),
  }
  expect(await typesOf(files)).toEqual(['hello', 'email'])
})

test('a plugin by path takes options, and goes without', async () => {
  const files = { 'sized.ts': configurable }
  const config = (entry: unknown) => ({ ...files, 'redisdistro.config.ts': listing([entry]) })
  expect(await typesOf(config('./sized.ts'))).toEqual(['sized-1'])
  expect(await typesOf(config(['./sized.ts', { size: 4 }]))).toEqual(['sized-4'])
  expect(await refusal(config(['./sized.ts', { sise: 4 }]))).toContain('sise')
  const plain = {
    'hello.ts': hello(),
    'redisdistro.config.ts': listing([['./hello.ts', { a: 1 }]]),
  }
  expect(await refusal(plain)).toContain("plugin './hello.ts' takes no options")
})

test('two plugins of one type, or of one name, are refused by name', async () => {
  const two = (a: string, b: string) => ({
    'a.ts': a,
    'b.ts': b,
    'redisdistro.config.ts': listing(['./a.ts', './b.ts']),
  })
  expect(await refusal(two(hello('first', 'same'), hello('second', 'same')))).toBe(
    "the task type 'same' is defined by plugin 'first' and 'second'; keep one",
  )
  expect(await refusal(two(hello('one', 'a'), hello('one', 'b')))).toContain(
    "two plugins are named 'one'",
  )
})

test('what is no plugin is refused with what it is', async () => {
  const file = (text: string) => ({ 'a.ts': text, 'redisdistro.config.ts': listing(['./a.ts']) })
  expect(await refusal(file('export default { name: 1 }'))).toContain('is an object with name')
  expect(await refusal(file('export default 5'))).toContain('is a number')
  expect(await refusal(file('export default () => 5'))).toContain(
    'a function that returns a number',
  )
  expect(await refusal(file('export const plugin = 1'))).toBe(
    "plugin './a.ts': /a.ts has no default export",
  )
  expect(await refusal(file('export default {\n  a: = 1 }'))).toContain('/a.ts:2:6: syntax error')
  expect(await refusal({ 'redisdistro.config.ts': listing(['./none.ts']) })).toBe(
    "plugin './none.ts': there is no file /none.ts",
  )
  expect(await refusal({ 'redisdistro.config.ts': listing(['no-such-package']) })).toContain(
    'no such package is installed',
  )
})

test('a path that leads out of the project is refused', async () => {
  const outside = await project({ 'hello.ts': hello() })
  const directory = await project({ 'redisdistro.config.ts': listing([join(outside, 'hello.ts')]) })
  const error = await failureOf(readConfig({ directory, env: {} }))
  expect(error.message).toContain(
    `${join(outside, 'hello.ts')} lies outside the project ${directory}`,
  )
})

const order: string[] = []
const tracked = (name: string, more: object = {}): Plugin =>
  definePlugin({
    name,
    tasks: [defineTask({ type: name, payload: z.object({}), handle: () => undefined })],
    setup: () => void order.push(`setup ${name}`),
    close: () => void order.push(`close ${name}`),
    ...more,
  })
const away = () => Promise.reject(new Error('not to be asked'))
const client = { enqueue: away, enqueueMany: away, task: away, cancel: away }
const options = { log: silentLog, directory: '/tmp', production: false, client }

test('plugins are set up in order and closed in reverse', async () => {
  order.length = 0
  const plugins = [tracked('a'), tracked('b')]
  await setUpPlugins(plugins, options)
  await closePlugins(plugins, silentLog)
  expect(order).toEqual(['setup a', 'setup b', 'close b', 'close a'])
})

test('a setup that fails is told with the name of its plugin, and those before it are closed', async () => {
  order.length = 0
  const failing = tracked('b', {
    setup: () => {
      throw new Error('no server')
    },
  })
  const error = await failureOf(setUpPlugins([tracked('a'), failing, tracked('c')], options))
  expect(error).toMatchObject({ code: 'plugin_failed', message: "plugin 'b': no server" })
  expect(order).toEqual(['setup a', 'close a'])
})

test('a close that fails is logged and keeps no other plugin open', async () => {
  order.length = 0
  const logged: unknown[] = []
  const log = {
    ...silentLog,
    error: (_: string, fields?: Record<string, unknown>) => void logged.push(fields?.['plugin']),
  }
  const failing = tracked('b', { close: () => Promise.reject(new Error('stuck')) })
  await closePlugins([tracked('a'), failing], log)
  expect(logged).toEqual(['b'])
  expect(order).toEqual(['close a'])
})

/** A plugin whose task `first` enqueues one of `second` with the client that setup was given. */
function chain(setup: (client: PluginClient) => unknown = () => undefined) {
  let lent: PluginClient | undefined
  const payload = z.object({ n: z.number() })
  const first = defineTask({
    type: 'first',
    payload,
    handle: async ({ n }) => (await lent?.enqueue('second', { n: n + 1 }))?.id,
  })
  const second = defineTask({ type: 'second', payload, handle: ({ n }) => n })
  return definePlugin({
    name: 'chain',
    tasks: [first, second],
    setup: async ({ client }) => {
      lent = client
      await setup(client)
    },
  })
}

test('a handler enqueues a further task with the client that setup was given', async () => {
  const kernel = await kernelOf(testConfig({ plugins: [chain()], http: false }))
  await kernel.start()
  const { id } = await kernel.client.enqueue('first', { n: 1 })
  const result = async (of: string) => {
    const task = await kernel.client.task(of)
    return task?.state === 'completed' && task
  }
  const { result: next } = await until(() => result(id))
  expect(await until(() => result(String(next)))).toMatchObject({ type: 'second', result: 2 })
})

test('setup may enqueue, look tasks up and call them off, and cannot close the client', async () => {
  const seen: unknown[] = []
  const plugin = chain(async ({ enqueue, enqueueMany, task, cancel, ...more }) => {
    const { id } = await enqueue('first', { n: 1 }, { delay: '1h' })
    const many = await enqueueMany('second', [{ n: 1 }, { n: 2 }], { delay: '1h' })
    seen.push((await task(id))?.state, many.length, (await cancel(id)).ok, Object.keys(more))
  })
  const kernel = await kernelOf(testConfig({ plugins: [plugin], http: false }))
  await kernel.start({ roles: ['producer'] })
  expect(seen).toEqual(['scheduled', 2, true, []])
})

test('a plugin that is defined within the config keeps its type', () => {
  const task = defineTask({
    type: 'one',
    payload: z.object({ n: z.number() }),
    handle: ({ n }) => n,
  })
  const config = defineConfig({
    plugins: [
      definePlugin({ name: 'inline', tasks: [task] }),
      definePlugin({ name: 'sized', options: z.object({ size: z.int() }), tasks: [] })({ size: 1 }),
    ],
  })
  const [inline] = config.plugins ?? []
  expect(inline?.tasks).toEqual([task])
  expectTypeOf(inline).toEqualTypeOf<Plugin<readonly [typeof task]> | undefined>()
})
