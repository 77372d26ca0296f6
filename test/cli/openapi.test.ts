import { expect, test } from 'vitest'
import { project, run } from './bin.js'

const config = (http: string) => `
import { defineConfig } from 'redisdistro'
import email from 'redisdistro/plugins/email'
export default defineConfig({ redis: { url: 'redis://127.0.0.1:1' }, plugins: [email()], http: ${http} })
`

test('openapi prints the document of the config, and asks no Redis', async () => {
  const cwd = await project({ 'redisdistro.config.ts': config('{ batchLimit: 7 }') })
  const { code, stdout, stderr } = await run(['openapi'], { cwd })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const { openapi, paths } = JSON.parse(stdout)
  expect(openapi).toMatch(/^3\.1\./)
  const { content } = paths['/enqueue/email/batch'].post.requestBody
  expect(content['application/json'].schema).toMatchObject({ type: 'array', maxItems: 7 })
})

test('openapi of a config without a server says so', async () => {
  const cwd = await project({ 'redisdistro.config.ts': config('false') })
  const { code, stdout, stderr } = await run(['openapi', '--json'], { cwd })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('http: is false')
})
