import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import { expect, onTestFinished, test } from 'vitest'
import { root } from '../../house/source.js'
import { describedApi } from './described.js'

const run = promisify(execFile)

/** A program of a user's, against the types that were made of the document. */
const program = `
import createClient from 'openapi-fetch'
import type { paths } from './api.js'

const baseUrl = process.argv[2] ?? ''
const { GET, POST } = createClient<paths>({ baseUrl, headers: { authorization: 'Bearer api-token' } })
const mail = { to: 'a@example.com', subject: 'Hi', body: 'Hello' }

const made = await POST('/enqueue/email', {
  body: { ...mail, runAt: 'in 2 hours' },
  params: { query: { priority: 'high', tags: ['order', 'mail'] } },
})
const id: string = made.data?.taskId ?? ''

const looked = await GET('/tasks/{id}', { params: { path: { id } } })
const listed = await GET('/tasks', { params: { query: { tag: 'mail', state: 'scheduled', limit: 5 } } })
const batch = await POST('/enqueue', {
  body: [
    { type: 'email', payload: mail },
    { type: 'tree', payload: { label: 'a', children: [{ label: 'b' }] }, options: { delay: '5m' } },
  ],
})

// @ts-expect-error the payload wants a subject
const refused = await POST('/enqueue/email', { body: { to: 'a@example.com' } })
// @ts-expect-error there is no such type
await POST('/enqueue/none', { body: {} })
const { error } = refused
const code: 'bad_payload' | 'bad_option' | undefined =
  error?.code === 'bad_payload' || error?.code === 'bad_option' ? error.code : undefined
const paths: string[] = error?.issues?.map(({ path }) => path) ?? []

console.log(
  JSON.stringify({
    state: looked.data?.state,
    tags: looked.data?.tags,
    priority: looked.data?.priority,
    listed: listed.data?.items.map((task) => task.id === id),
    batch: batch.data?.taskIds.length,
    status: refused.response.status,
    code,
    paths,
  }),
)
`

const options = {
  target: 'es2022',
  lib: ['es2023', 'dom', 'dom.iterable'],
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  types: ['node'],
}

test('a client that is generated from the document compiles strictly, and works', async () => {
  const tokens = { api: ['api-token'], enqueue: [], read: [] }
  const { url, document } = await describedApi({ tokens })
  const folder = await mkdtemp(join(tmpdir(), 'redisdistro-client-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const types = astToString(await openapiTS(document as unknown as OpenAPI3))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }))
  await writeFile(join(folder, 'api.ts'), types)
  await writeFile(join(folder, 'program.ts'), program)
  const compiler = join(root, 'node_modules/@typescript/native/bin/tsc')
  const compiled = await run(process.execPath, [compiler, '-p', folder]).catch(
    (error: { stdout: string }) => error,
  )
  expect(compiled.stdout).toBe('')
  const { stdout } = await run(process.execPath, [join(folder, 'program.js'), url])
  expect(JSON.parse(stdout)).toEqual({
    state: 'scheduled',
    tags: ['order', 'mail'],
    priority: 'high',
    listed: [true],
    batch: 2,
    status: 422,
    code: 'bad_payload',
    paths: ['subject'],
  })
})
