import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { testRedisUrl, until } from '../support/redis.js'
import { WorkerStage } from './stage.js'

const program = fileURLToPath(new URL('./blocking-worker.mjs', import.meta.url))

/** A worker process whose handler blocks its event loop; it ends with the test at the latest. */
function startBlocking(stage: WorkerStage, settings: { lease: number; maxBlocked: number }) {
  const args = [testRedisUrl(), stage.prefix, `${settings.lease}`, `${settings.maxBlocked}`]
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.out += `${chunk}`))
  child.stderr.on('data', (chunk: Buffer) => (said.err += `${chunk}`))
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await closed
  })
  return { child, said, closed, blocks: () => until(() => said.out.includes('blocks ')) }
}

/** Its thread is up: the lease was renewed since it was taken. */
async function renewed(stage: WorkerStage): Promise<void> {
  const leaseOf = async () => (await stage.broker.workers(stage.partition))[0]?.leaseUntil
  const first = await until(leaseOf)
  await until(async () => ((await leaseOf()) ?? first) > first)
}

test('a loop that is blocked for ever ends its process with last words, and another worker has the task', async () => {
  const stage = await WorkerStage.open()
  const lease = 600
  const blocked = startBlocking(stage, { lease, maxBlocked: 1500 })
  await renewed(stage)
  const id = await stage.add(3_600_000)
  await blocked.blocks()
  stage.startRescuer(lease)
  stage.start({ lease, handle: () => 'elsewhere' })
  const [code, signal] = await blocked.closed
  expect([code, signal]).toEqual([null, 'SIGKILL'])
  expect(blocked.said.err).toMatch(
    new RegExp(`event loop has stood still for \\d+ s .*maxBlocked.*process ${blocked.child.pid}`),
  )
  const task = await stage.reached(id, 'completed')
  expect(task).toMatchObject({ result: 'elsewhere', losses: 1, completedAttempt: 1 })
})

test('a loop that is blocked for less keeps its lease, and its task runs once', async () => {
  const stage = await WorkerStage.open()
  const lease = 600
  const blocked = startBlocking(stage, { lease, maxBlocked: 60_000 })
  await renewed(stage)
  const id = await stage.add(4 * lease)
  await blocked.blocks()
  stage.startRescuer(lease)
  let runs = 0
  stage.start({ lease, handle: () => (runs += 1) })
  expect(await stage.reached(id, 'completed')).toMatchObject({ result: 'blocked', losses: 0 })
  expect(blocked.said.out.match(/blocks/g)).toHaveLength(1)
  expect(runs).toBe(0)
})
