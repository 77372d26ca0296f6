import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/kernel/read-config.js'
import { failureOf, project } from './project.js'

const esm =
  "import { defineConfig } from 'redisdistro'\nexport default defineConfig({ queues: { images: { concurrency: 7 } } })\n"
const cjs =
  "const { defineConfig } = require('redisdistro')\nmodule.exports = defineConfig({ queues: { images: { concurrency: 7 } } })\n"
const json = '{ "queues": { "images": { "concurrency": 7 } } }'
const yaml = 'queues:\n  images:\n    concurrency: 7\n'

const forms: [string, string][] = [
  ['package.json', `{ "name": "a", "redisdistro": ${json} }`],
  ['.redisdistrorc', yaml],
  ['.redisdistrorc.json', json],
  ['.redisdistrorc.yaml', yaml],
  ['.redisdistrorc.yml', yaml],
  ['.redisdistrorc.js', cjs],
  ['.redisdistrorc.ts', esm],
  ['.redisdistrorc.cjs', cjs],
  ['.redisdistrorc.mjs', esm],
  ['.config/redisdistrorc', yaml],
  ['.config/redisdistrorc.json', json],
  ['.config/redisdistrorc.ts', esm],
  ['redisdistro.config.js', esm],
  ['redisdistro.config.ts', esm],
  ['redisdistro.config.cjs', cjs],
  ['redisdistro.config.mjs', esm],
  ['redisdistro.config.mts', esm],
  ['redisdistro.config.cts', cjs],
]

const read = (directory: string, more: object = {}) => readConfig({ directory, env: {}, ...more })

test.each(forms)('a config is found in %s', async (file, text) => {
  const directory = await project({ [file]: text })
  const config = await read(directory)
  expect(config.queues.get('images')?.concurrency).toBe(7)
  expect(config.file).toBe(join(directory, file))
  expect(config.directory).toBe(directory)
})

test.each(['module', 'commonjs'])(
  'TypeScript and JavaScript work where package.json says %s',
  async (type) => {
    for (const [file, text] of [
      ['redisdistro.config.ts', esm],
      ['redisdistro.config.js', type === 'module' ? esm : cjs],
    ] as const) {
      const directory = await project({ [file]: text, 'package.json': JSON.stringify({ type }) })
      expect((await read(directory)).queues.get('images')?.concurrency).toBe(7)
    }
  },
)

test('a config in TypeScript may import TypeScript that imports TypeScript, with enums', async () => {
  const directory = await project({
    'redisdistro.config.ts':
      "import { size } from './settings/size.js'\nexport default { queues: { images: { concurrency: size } } }\n",
    'settings/size.ts':
      "import { Size } from './deep/kinds'\nexport const size: number = Size.Large as number\n",
    'settings/deep/kinds.ts': 'export enum Size { Small = 1, Large = 9 }\n',
  })
  expect((await read(directory)).queues.get('images')?.concurrency).toBe(9)
})

test('a config outside any installation gets this copy of redisdistro, its doors and zod', async () => {
  const directory = await project({
    'redisdistro.config.ts': `
      import { z } from 'zod'
      import { defineConfig, definePlugin, defineTask } from 'redisdistro'
      import email from 'redisdistro/plugins/email'
      import { createClient } from 'redisdistro/client'
      import { runTask } from 'redisdistro/testing'
      if (typeof createClient !== 'function' || typeof runTask !== 'function') throw new Error('no doors')
      const hello = defineTask({ type: 'hello', payload: z.object({ n: z.number() }), handle: () => 1 })
      export default defineConfig({ plugins: [email(), definePlugin({ name: 'hello', tasks: [hello] })] })`,
  })
  const config = await read(directory)
  expect([...config.tasks.keys()]).toEqual(['email', 'hello'])
  const { RedisDistroError } = await import('../../src/core/errors.js')
  const bad = await project({
    'redisdistro.config.ts':
      "import email from 'redisdistro/plugins/email'\nexport default { plugins: [email({ from: 'x' })] }\n",
  })
  expect(await failureOf(read(bad))).toBeInstanceOf(RedisDistroError)
})

test('the search goes upward from where it begins, and stops at the first', async () => {
  const directory = await project({
    'redisdistro.config.ts': esm,
    'package.json': '{}',
    'packages/a/package.json': '{ "name": "a" }',
  })
  const config = await read(join(directory, 'packages/a'))
  expect(config.directory).toBe(directory)
})

test('a read-only project works', async () => {
  const directory = await project({ 'redisdistro.config.ts': esm, 'sub/x.txt': '' })
  await chmod(directory, 0o555)
  try {
    expect((await read(directory)).queues.has('images')).toBe(true)
  } finally {
    await chmod(directory, 0o755)
  }
})

test('an own path is taken instead of a search', async () => {
  const directory = await project({
    'redisdistro.config.ts': 'export default {}\n',
    'other/prod.ts': esm,
  })
  const config = await read(directory, { file: 'other/prod.ts' })
  expect(config.queues.has('images')).toBe(true)
  expect(config.directory).toBe(join(directory, 'other'))
})

test('a function that computes the config sees what .env says', async () => {
  const name = 'REDISDISTRO_TEST_CONCURRENCY'
  const directory = await project({
    '.env': `${name}=12\n`,
    'redisdistro.config.ts': `export default { queues: { default: { concurrency: Number(process.env.${name}) } } }\n`,
  })
  try {
    const config = await readConfig({ directory })
    expect(config.queues.get('default')?.concurrency).toBe(12)
  } finally {
    delete process.env[name]
  }
})

test('no config at all is an error that shows how to make one', async () => {
  const directory = await project({ 'package.json': '{}' })
  const error = await failureOf(read(directory))
  expect(error).toMatchObject({ code: 'bad_config' })
  expect(error.message).toContain(`from ${directory} upward; create one:`)
  expect(error.message).toContain('export default defineConfig({ plugins: [email()] })')
})

test('a config that cannot be loaded is refused with its file, line and column', async () => {
  const broken = async (text: string, file = 'redisdistro.config.ts') => {
    const directory = await project({ [file]: text })
    const error = await failureOf(read(directory))
    expect(error).toMatchObject({ code: 'bad_config' })
    return error.message.replaceAll(directory, '')
  }
  expect(await broken('const a: number = 1\nexport default {\n  a: = 3\n}\n')).toBe(
    '/redisdistro.config.ts:3:6: syntax error: Unexpected token\n  3 |   a: = 3\n           ^',
  )
  expect(
    await broken('interface A {\n  a: string\n}\nconst a = undefined\nexport default { x: a.b }\n'),
  ).toMatch(
    /^\/redisdistro\.config\.ts:5: Cannot read properties of undefined \(reading 'b'\)\n {2}5 \| export default/,
  )
  expect(await broken('{ "queues": ', '.redisdistrorc.json')).toContain('/.redisdistrorc.json')
  expect(await broken('a: b: c', '.redisdistrorc.yaml')).toContain('/.redisdistrorc.yaml')
  expect(await broken("import x from './nope.js'\nexport default x\n")).toMatch(
    /^\/redisdistro\.config\.ts:1: Cannot find module '\.\/nope\.js'\n {2}1 \| import x/,
  )
  expect(await broken('export const config = {}\n')).toBe(
    '/redisdistro.config.ts has no default export',
  )
  expect(await broken('')).toBe('/redisdistro.config.ts is empty')
  const nothing = /^\/\S+ cannot be used:\n {2}null is refused: expected object/
  expect(await broken('export default null\n')).toMatch(nothing)
  expect(await broken('null', '.redisdistrorc.json')).toMatch(nothing)
  expect(await broken('export default 5\n')).toContain('/redisdistro.config.ts cannot be used')
  expect(
    await broken(
      "import { readFileSync } from 'node:fs'\nexport default readFileSync('/nowhere/at/all')\n",
    ),
  ).toContain('ENOENT')
})

test('a config file that is not there is named', async () => {
  const directory = await project({})
  await mkdir(join(directory, 'a'))
  const error = await failureOf(read(directory, { file: 'a/none.ts' }))
  expect(error.message).toBe(`there is no config file ${join(directory, 'a/none.ts')}`)
})
