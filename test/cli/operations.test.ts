import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { testPrefix, testRedisUrl, until } from '../support/redis.js'
import { makeProject, run as runBin, startBin } from './bin.js'

// Each command is a process of its own, a second long where the machine is busy.
vi.setConfig({ testTimeout: 120_000 })

const config = (url: string, prefix: string) => `
import { defineConfig, definePlugin, defineTask, FatalError } from 'redisdistro'
import { z } from 'zod'
const greet = defineTask({ type: 'greet', payload: z.object({ name: z.string() }), handle: ({ name }) => name })
const plan = defineTask({ type: 'plan', payload: z.object({ runAt: z.string() }), handle: () => 1 })
const fall = defineTask({
  type: 'fall',
  queue: 'cliff',
  payload: z.object({ n: z.number().default(0) }),
  handle() { throw new FatalError('fell \\u001b[31mdown') },
})
export default defineConfig({
  redis: { url: '${url}', prefix: '${prefix}' },
  plugins: [definePlugin({ name: 'acts', tasks: [greet, plan, fall] })],
  queues: { cliff: {} },
  http: false,
})
`

let cwd = ''
let clean = async (): Promise<void> => undefined

beforeAll(async () => {
  const text = config(testRedisUrl(), testPrefix())
  const made = await makeProject({
    'redisdistro.config.ts': text,
    'ann.json': '{ "name": "Ann" }',
  })
  cwd = made.directory
  clean = made.clean
})
afterAll(() => clean())

const run = (args: readonly string[], input?: string) =>
  runBin(args, input === undefined ? { cwd } : { cwd, input })

/** The document that a command prints, which must be all of its output. */
async function json(args: readonly string[], input?: string) {
  const { code, stdout, stderr } = await run([...args, '--json'], input)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

async function ending(args: readonly string[], want: number, input?: string): Promise<string> {
  const { code, stdout, stderr } = await run(args, input)
  expect({ code, stdout }).toEqual({ code: want, stdout: '' })
  return stderr
}

/** What stderr says of a command that was right and could not be done. */
const refusal = (args: readonly string[]) => ending(args, 1)
/** What stderr says of a command that could never be done as it was given. */
const wrongUse = (args: readonly string[], input?: string) => ending(args, 2, input)

test('a task is enqueued from an argument, a file and stdin', async () => {
  for (const [payload, input] of [['{"name":"Ann"}'], ['@ann.json'], ['-', '{"name":"Ann"}']]) {
    const answer = await json(['enqueue', 'greet', payload ?? ''], input)
    expect(answer).toMatchObject({ type: 'greet', queue: 'default', state: 'waiting' })
    const task = await json(['task', 'show', answer.taskId])
    expect(task).toMatchObject({ state: 'waiting', payload: { name: 'Ann' } })
  }
})

test('every option of an enqueue has its flag', async () => {
  const flags = [
    ...['--run-at', 'tomorrow 8am', '--tz', 'Europe/Rome', '--task-id', 'mine', '--queue', 'cliff'],
    ...['--priority', 'high', '--attempts', '3', '--timeout', '30s', '--expires-in', '3d'],
    ...['--unique-key', 'one', '--unique-for', '1h', '--tag', 'a', '--tag', 'b'],
  ]
  const args = ['enqueue', 'greet', '{"name":"Bea"}', ...flags]
  const first = await json(args)
  expect(first).toMatchObject({ taskId: 'mine', state: 'scheduled', tz: 'Europe/Rome' })
  expect(first).toMatchObject({ queue: 'cliff', duplicate: false })
  const task = await json(['task', 'show', 'mine', '--queue', 'cliff'])
  expect(task).toMatchObject({ priority: 'high', tags: ['a', 'b'], runAt: first.runAt })
  expect(await json(args)).toMatchObject({ taskId: 'mine', duplicate: true })
  const keyed = ['enqueue', 'greet', '{"name":"Bea"}', '--delay', '1h', '--idempotency-key', 'k']
  const { taskId } = await json(keyed)
  expect(await json(keyed)).toMatchObject({ taskId, duplicate: true })
})

test('when to run may stand beside the fields of a payload, unless the schema has them', async () => {
  const beside = '{"name":"Eve","runAt":"1h","tz":"Europe/Rome"}'
  const first = await json(['enqueue', 'greet', beside])
  expect(first).toMatchObject({ state: 'scheduled', runAt: expect.any(String) })
  const { payload } = await json(['task', 'show', first.taskId])
  expect(payload).toEqual({ name: 'Eve' })
  const told = await json(['enqueue', 'greet', '{"name":"Eve","delay":"9h"}', '--run-at', '1h'])
  const ahead = Date.parse(told.runAt) - Date.now()
  expect(ahead).toBeLessThan(2 * 3_600_000)
  expect(await wrongUse(['enqueue', 'greet', '{"name":"Eve","runAt":"someday"}'])).toMatch(
    /\[bad_time\].*someday/,
  )
  const timed = ['--run-at', '2099-07-01T08:00', '--tz', 'Asia/Kolkata']
  const { stdout } = await run(['enqueue', 'greet', '{"name":"Eve"}', ...timed])
  expect(stdout).toContain('(scheduled, due 2099-07-01T02:30:00.000Z, read in Asia/Kolkata)')
  const own = await json(['enqueue', 'plan', '{"runAt":"whenever"}'])
  expect(own).toMatchObject({ state: 'waiting' })
  expect((await json(['task', 'show', own.taskId])).payload).toEqual({ runAt: 'whenever' })
})

test('what cannot be enqueued is wrong use, told with its code, and is not written', async () => {
  const { items } = await json(['task', 'list'])
  const bad = ['enqueue', 'greet', '{"name":1}']
  expect(await wrongUse(bad)).toMatch(/\[bad_payload\].*name/)
  expect(await wrongUse(['enqueue', 'grete', '{}'])).toMatch(/\[unknown_type\].*greet/)
  const ann = ['enqueue', 'greet', '{"name":"A"}']
  expect(await wrongUse([...ann, '--run-at', 'someday'])).toMatch(/\[bad_time\].*someday/)
  expect(await wrongUse([...ann, '--run-at', '8am', '--tz', 'Mars/X'])).toMatch(/\[bad_option\]/)
  expect(await wrongUse([...ann, '--queue', 'nowhere'])).toMatch(/\[bad_option\].*nowhere/)
  expect(await wrongUse([...ann, '--redis-url', 'nowhere'])).toMatch(/\[bad_config\].*--redis-url/s)
  expect(await wrongUse(['enqueue', 'greet', '@none.json'])).toMatch(/none\.json/)
  expect(await wrongUse(['enqueue', 'greet', '-'], '{')).toMatch(/stdin is not JSON/)
  expect((await json(['task', 'list'])).items).toHaveLength(items.length)
})

test('a task is promoted, cancelled and requeued, and a wrong move names the state', async () => {
  const args = ['enqueue', 'greet', '{"name":"C"}', '--delay', '1h', '--task-id', 'moved']
  await json(args)
  expect(await json(['task', 'promote', 'moved'])).toMatchObject({ id: 'moved', state: 'waiting' })
  expect(await refusal(['task', 'requeue', 'moved'])).toMatch(/\[wrong_state\].*is waiting/)
  expect((await run(['task', 'cancel', 'moved'])).stdout).toBe('moved cancelled, was waiting\n')
  expect(await json(['task', 'requeue', 'moved'])).toMatchObject({ state: 'waiting' })
  expect(await refusal(['task', 'cancel', 'nobody'])).toMatch(/\[unknown_task\].*nobody/)
  expect(await refusal(['task', 'show', 'nobody'])).toMatch(/\[unknown_task\]/)
})

test('tasks are listed by filter and page by page', async () => {
  for (const n of [1, 2, 3]) {
    await json(['enqueue', 'greet', '{"name":"D"}', '--tag', 'paged', '--task-id', `page-${n}`])
  }
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const more: string[] = cursor === '' ? [] : ['--cursor', cursor]
    const page = await json(['task', 'list', '--tag', 'paged', '--limit', '2', ...more])
    seen.push(...page.items.map(({ id }: { id: string }) => id))
    cursor = page.cursor
  }
  expect(seen.sort()).toEqual(['page-1', 'page-2', 'page-3'])
  const { stdout } = await run(['task', 'list', '--tag', 'paged', '--state', 'waiting'])
  expect(stdout).toMatch(/^ID +TYPE +QUEUE +STATE +ATTEMPT +ENQUEUED +REMARK$/m)
  expect(stdout).toMatch(/^page-2 +greet +default +waiting/m)
  expect(await wrongUse(['task', 'list', '--queue', 'nowhere'])).toMatch(/\[unknown_queue\]/)
})

test('a queue is paused and resumed, and shown', async () => {
  expect((await run(['queue', 'pause', 'cliff'])).stdout).toBe("queue 'cliff' is paused\n")
  expect(await json(['queue', 'show', 'cliff'])).toMatchObject({ name: 'cliff', paused: true })
  expect((await run(['queue', 'list'])).stdout).toMatch(/^cliff .* paused$/m)
  expect(await json(['queue', 'resume', 'cliff'])).toMatchObject({ paused: false })
  const limit = ['queue', 'limit', 'cliff']
  expect((await run([...limit, '--rate', '14/s', '--max-active', '5'])).stdout).toBe(
    "queue 'cliff' has limits: rate 14/s, maxActive 5\n",
  )
  expect(await json([...limit, '--rate', 'none'])).toMatchObject({ limits: { maxActive: 5 } })
  expect((await run(['queue', 'show', 'cliff'])).stdout).toMatch(
    /^limits +maxActive 5 \(set at run time; the config says none\)$/m,
  )
  expect(await wrongUse([...limit, '--rate', 'fast'])).toMatch(/\[bad_option\].*14\/s/)
  expect(await wrongUse(limit)).toMatch(/say which limit/)
  expect(await wrongUse(['queue', 'show', 'nowhere'])).toMatch(/\[unknown_queue\].*nowhere/)
})

test('dead letters are counted, shown, requeued and purged by filter', async () => {
  for (const id of ['fall-1', 'fall-2']) await json(['enqueue', 'fall', '{}', '--task-id', id])
  const worker = startBin(['start', '--worker', '--queues', 'cliff'], { cwd })
  await worker.ready()
  const count = async () => (await json(['dead', 'list'])).items[0]?.count
  await until(async () => (await count()) === 2, { describe: 'two dead letters' })
  const { items: workers } = await json(['worker', 'list'])
  expect(workers).toMatchObject([{ queue: 'cliff', pid: worker.kernels()[0] }])
  worker.child.kill('SIGTERM')
  expect(await worker.ended).toBe(0)

  expect((await run(['dead', 'list'])).stdout).toMatch(/^dead +2$/m)
  const shown = await run(['dead', 'show', 'dead'])
  expect(shown.stdout).toMatch(/^fall-1 +fall +cliff +dead .*fell/m)
  expect(shown.stdout).not.toContain('\u001b')
  const sheet = await run(['task', 'show', 'fall-1'])
  expect(sheet.stdout).toMatch(/bury +fatal: fell/)
  expect(await json(['dead', 'requeue', 'dead', '--error', 'flew'])).toEqual({
    requeued: 0,
    skipped: 0,
  })
  expect(await json(['dead', 'requeue', 'dead', '--error', 'fell'])).toEqual({
    requeued: 2,
    skipped: 0,
  })
  expect(await json(['task', 'show', 'fall-2'])).toMatchObject({ state: 'waiting' })
  const yes = await run(['dead', 'purge', 'dead', '--type', 'fall', '--yes'])
  expect(yes.stdout).toBe("purged 0 dead letters of 'dead'\n")
  // A script has no terminal to be asked on.
  expect(await wrongUse(['dead', 'purge', 'dead'])).toMatch(/--yes/)
  expect(await json(['dead', 'purge', 'dead', '--yes'])).toEqual({ purged: 0 })
  expect((await run(['dead', 'list'])).stdout).toBe('no dead letters\n')
})

test('a task is edited, and runs again where that is asked', async () => {
  const args = ['enqueue', 'greet', '{"name":"Old"}', '--delay', '1h', '--task-id', 'edited']
  await json(args)
  expect(await wrongUse(['task', 'edit', 'edited', '{"name":7}'])).toMatch(/\[bad_payload\].*name/)
  const payload = { name: 'Ann' }
  expect(await json(['task', 'edit', 'edited', '@ann.json'])).toMatchObject({ payload })
  const run = await json(['task', 'edit', 'edited', '-', '--run'], '{"name":"New"}')
  expect(run).toMatchObject({ state: 'waiting', payload: { name: 'New' } })
  expect(await refusal(['task', 'edit', 'edited', '{"name":"No"}'])).toMatch(
    /\[wrong_state\].*is waiting.*can be edited/,
  )
})

test('dead letters go back at a rate by a job that a kernel does, which is watched or left', async () => {
  const ids = Array.from({ length: 3 }, (_, n) => `job-fall-${n}`)
  for (const id of ids) await json(['enqueue', 'fall', '{}', '--task-id', id])
  const worker = startBin(['start', '--worker', '--queues', 'cliff'], { cwd })
  await worker.ready()
  const count = async () => (await json(['dead', 'list'])).items[0]?.count
  await until(async () => (await count()) >= 3, { describe: 'three dead letters' })
  const dry = await json(['dead', 'purge', 'dead', '--dry-run'])
  expect(dry.wouldPurge).toBeGreaterThanOrEqual(3)
  expect(dry.sample).toContain('job-fall-2')
  const watched = await run(['dead', 'requeue', 'dead', '--rate', '100/s'])
  expect(watched).toMatchObject({ code: 0 })
  expect(watched.stdout).toMatch(/^requeued \d+ of \d+, dead letters of 'dead'$/m)
  await until(async () => (await count()) >= 3, { describe: 'all of them dead again' })
  const left = await json(['dead', 'requeue', 'dead', '--rate', '1/h', '--detach'])
  expect(left).toMatchObject({ state: 'running', rate: '1/h' })
  expect((await run(['job', 'list'])).stdout).toMatch(new RegExp(`^${left.id} .*1/h`, 'm'))
  const held = async () => (await json(['job', 'show', left.id])).held
  await until(held, { describe: 'a kernel to take the job' })
  expect((await run(['job', 'stop', left.id])).stdout).toMatch(/is stopp(ing|ed)$/m)
  const state = async () => (await json(['job', 'show', left.id])).state
  await until(async () => (await state()) === 'stopped', { describe: 'the job to stop' })
  expect(await refusal(['job', 'show', 'nobody'])).toMatch(/\[unknown_job\]/)
  worker.child.kill('SIGTERM')
  expect(await worker.ended).toBe(0)
})

test('stats are shown for people and as one document', async () => {
  const stats = await json(['stats'])
  expect(stats.depth).toHaveProperty('waiting')
  expect(stats.total.enqueued).toBeGreaterThan(0)
  const { stdout } = await run(['stats'])
  expect(stdout).toMatch(/^last hour +\d+/m)
  expect(stdout).toMatch(/^cliff +\d+/m)
})
