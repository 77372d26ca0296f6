import { join } from 'node:path'
import { expect, test } from 'vitest'
import { project, run } from './bin.js'

const config = `
import { defineConfig } from 'redisdistro'
import email from 'redisdistro/plugins/email'
export default defineConfig({
  redis: { url: 'redis://user:secret@127.0.0.1:6390' },
  plugins: [email()],
  queues: { images: { concurrency: 8 } },
})
`

interface Printed {
  readonly file: string
  readonly items: readonly { path: string; value: unknown; source: string }[]
}

async function printed(cwd: string, args: string[] = [], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await run(['config', 'print', '--json', ...args], { cwd, env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const document: Printed = JSON.parse(stdout)
  return { ...document, at: (path: string) => document.items.find((row) => row.path === path) }
}

test('every option is printed with where it came from, and no secret', async () => {
  const env = 'DEAD_KEY=grave\nQUEUE_KEY=mails\n'
  const cwd = await project({ 'redisdistro.config.ts': config, '.env': env })
  const { file, at, items } = await printed(cwd)
  expect(file).toBe(join(cwd, 'redisdistro.config.ts'))
  expect(at('queues.images.concurrency')).toMatchObject({ value: 8, source: 'config' })
  expect(at('queues.mails.concurrency')).toMatchObject({ value: 10, source: 'default' })
  expect(at('defaults.deadLetter')).toMatchObject({ value: 'grave', source: '.env DEAD_KEY' })
  expect(at('defaultQueue')).toMatchObject({ value: 'mails', source: '.env QUEUE_KEY' })
  expect(JSON.stringify(items)).not.toContain('secret')
})

test('a flag stands over the environment, which stands over the config', async () => {
  const cwd = await project({ 'redisdistro.config.ts': config })
  const env = { REDIS_URL: 'redis://127.0.0.1:6391' }
  expect((await printed(cwd, [], env)).at('redis.url')?.value).toMatch(/:6391/)
  const flag = ['--redis-url', 'redis://127.0.0.1:6392']
  expect((await printed(cwd, flag, env)).at('redis.url')?.value).toMatch(/:6392/)
})

test('--config takes another file', async () => {
  const other = '{ "queues": { "images": { "concurrency": 3 } } }'
  const cwd = await project({ 'redisdistro.config.ts': config, 'other.json': other })
  const { at } = await printed(cwd, ['--config', 'other.json'])
  expect(at('queues.images.concurrency')?.value).toBe(3)
})

test('for people it is a table', async () => {
  const cwd = await project({ 'redisdistro.config.ts': config })
  const { stdout } = await run(['config', 'print'], { cwd })
  expect(stdout).toMatch(/^OPTION +VALUE +FROM$/m)
  expect(stdout).toMatch(/^queues\.images\.concurrency +8 +config$/m)
  expect(stdout).not.toContain('\u001b[')
})

test('an unknown key fails with its path and what is allowed', async () => {
  const cwd = await project({ '.redisdistrorc.json': '{ "queus": {} }' })
  const { code, stdout, stderr } = await run(['config', 'print'], { cwd })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/queus: .*did you mean 'queues'/)
  expect(stderr.match(/queus: /g)).toHaveLength(1)
})
