import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { choosePort } from '../../src/broker/embedded/redis-process.js'
import { read } from '../house/source.js'
import { testRedisServer, until } from '../support/redis.js'
import { makeCertificates } from './rig/certificates.js'
import { type Fleet, makeFleet } from './rig/fleet.js'
import { callApi } from './rig/http.js'
import { type MortalRedis, makeRedis } from './rig/redis.js'

// Real processes on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 })

const password = 'p@ss/word: 1'
const login = `redisdistro:${encodeURIComponent(password)}@`

/** The user of the docs, word by word. */
async function makeUser(redis: MortalRedis) {
  const [, rule = ''] = /```acl\nACL SETUSER ([\s\S]+?)```/.exec(read('docs/redis.md')) ?? []
  const words = rule
    .trim()
    .split(/\s+/)
    .map((word) => word.replace('PASSWORD', password))
  expect(words.length).toBeGreaterThan(30)
  await redis.tell('ACL', 'SETUSER', ...words)
  // Nobody comes in without a name.
  await redis.tell('ACL', 'SETUSER', 'default', 'resetkeys', '-@all', '+acl', '+ping', '+info')
}

/** What was refused to the user, in words. */
async function refusedTo(redis: MortalRedis): Promise<string[]> {
  const entries = (await redis.tell('ACL', 'LOG')) as unknown[]
  return entries.flatMap((entry) => {
    const flat = Array.isArray(entry) ? entry : Object.entries(entry as object).flat()
    const text = flat.join(' ')
    return /username redisdistro/.test(text) && !/setinfo/i.test(text) ? [text] : []
  })
}

/** Everything that a person may do and look at. */
async function everyRoute(url: string, fleet: Fleet): Promise<Map<string, number>> {
  const seen = new Map<string, number>()
  const call = async (
    route: string,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE' = 'GET',
    body?: unknown,
  ) => {
    const answer = await callApi(`${url}${route}`, { method, ...(body ? { body } : {}) })
    seen.set(`${method} ${route}`, answer.status)
    return answer.body
  }
  const enqueue = async (query: string, n: number) =>
    String((await call(`/enqueue/note${query}`, 'POST', { n }))['taskId'])
  const later = await enqueue('?delay=1h&taskId=later', 1)
  await call(`/tasks/${later}/promote`, 'POST')
  await call(`/tasks/${later}?wait=20s`)
  const off = await enqueue('?runAt=tomorrow%208am&tags=a&uniqueKey=u&priority=high', 2)
  await enqueue('?uniqueKey=u&delay=1h', 3)
  await call(`/tasks/${off}/cancel`, 'POST')
  await call(`/tasks/${off}`, 'DELETE')
  await enqueue('?expiresIn=1h&delay=30m&uniqueKey=v&uniqueFor=1h', 4)
  const { id } = await fleet.client.enqueue('failing', { n: 5, how: 'throws' })
  await call(`/tasks/${id}?wait=20s`)
  await call(`/tasks/${id}/requeue`, 'POST')
  await call(`/tasks/${id}?wait=20s`)
  await call('/dead-letters')
  await call('/dead-letters/dead')
  await call('/dead-letters/dead/requeue', 'POST', {})
  await call(`/tasks/${id}?wait=20s`)
  await call('/dead-letters/dead', 'DELETE')
  await call('/enqueue/note/batch', 'POST', [{ n: 6 }, { n: 7 }])
  await call('/queues/default/pause', 'POST')
  await call('/queues/default/resume', 'POST')
  const rule = { task: 'note', every: '1s', payload: { n: 9 }, limit: 2 }
  await call('/schedules/s', 'PUT', rule)
  await call('/schedules/s/run', 'POST')
  await call('/schedules/s/pause', 'POST')
  await call('/schedules/s/resume', 'POST')
  const ended = async () => (await call('/schedules/s'))['state'] === 'ended'
  await until(ended, { describe: 'the ticks of a schedule' })
  await call('/schedules/s/preview')
  await call('/schedules')
  await call('/schedules/s', 'DELETE')
  const looks = ['/tasks?tag=a', '/queues', '/queues/default', '/workers', '/stats', '/metrics']
  for (const route of ['/ready', ...looks]) await call(route)
  const listener = await fetch(`${url}/events`)
  seen.set('GET /events', listener.status)
  const reader = listener.body?.pipeThrough(new TextDecoderStream()).getReader()
  await enqueue('', 8)
  for (let text = ''; !text.includes('event: enqueue'); ) text += (await reader?.read())?.value
  await reader?.cancel()
  return seen
}

test('a user with the rights that the docs list can do everything, and is refused nothing', async () => {
  const redis = await makeRedis()
  await makeUser(redis)
  const url = redis.url.replace('//', `//${login}`)
  const fleet = await makeFleet({ redis: { url } })
  const worker = await fleet.work()
  const { url: api, running } = await fleet.produce()
  const seen = await everyRoute(api, fleet)
  expect([...seen].filter(([, status]) => status >= 300)).toEqual([])
  // What is stopped while it runs is given back, under the same rights.
  await fleet.client.enqueue('stubborn', { n: 8, ms: 100 })
  worker.child.kill('SIGTERM')
  expect(await worker.ended).toBe(0)
  expect(await refusedTo(redis)).toEqual([])
  expect(`${worker.output()}${running.output()}`).not.toMatch(/NOPERM|p@ss|p%40ss/)
})

/** Whether the server was built with TLS. */
const knowsTls = async () =>
  await promisify(execFile)(testRedisServer(), ['--port', '0', '--tls-port', 'no number']).then(
    () => true,
    ({ stdout = '', stderr = '' }) => !/Bad directive/.test(`${stdout}${stderr}`),
  )

test('workers and producers reach a server by TLS, by the word of an authority of the house alone', async ({
  skip,
}) => {
  const directory = await mkdtemp(join(tmpdir(), 'redisdistro-tls-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const files = await makeCertificates(directory)
  if (!files || !(await knowsTls())) return skip('no openssl, or a redis-server without TLS')
  const port = await choosePort(0)
  const { key, cert, caFile, ca } = files
  const tls = ['--tls-port', `${port}`, '--tls-key-file', key, '--tls-cert-file', cert]
  const authority = ['--tls-ca-cert-file', caFile, '--tls-auth-clients', 'no']
  const redis = await makeRedis({ args: [...tls, ...authority] })
  await makeUser(redis)
  const url = `rediss://${login}localhost:${port}`
  const fleet = await makeFleet({ redis: { url, tls: { ca } } })
  await fleet.work()
  const { url: api } = await fleet.produce()
  const answer = await callApi(`${api}/enqueue/note`, { method: 'POST', body: { n: 1 } })
  expect(answer.status).toBe(202)
  const { id } = await fleet.client.enqueue('note', { n: 2 })
  expect(await fleet.ended([id, String(answer.body['taskId'])])).toEqual(['completed', 'completed'])
  expect(await refusedTo(redis)).toEqual([])
  // Without that word nobody is trusted.
  const stranger = await makeFleet({ redis: { url } })
  await expect(stranger.client.enqueue('note', { n: 3 })).rejects.toMatchObject({
    code: 'store_away',
  })
  await until(() => fleet.ledger.ends().length === 2)
})
