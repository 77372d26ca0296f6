import { describe, expect, test } from 'vitest'
import { createGate } from '../../src/http/auth.js'
import { foreignHeader } from '../../src/http/origin.js'
import { api, task } from './stand-in.js'

const tokens = {
  api: ['api-token-1', 'api-token-2'],
  enqueue: ['enqueue-token'],
  read: ['read-token'],
}

const requests = {
  health: ['GET', '/health'],
  ready: ['GET', '/ready'],
  enqueue: ['POST', '/enqueue/email'],
  batch: ['POST', '/enqueue/email/batch'],
  mixed: ['POST', '/enqueue'],
  task: ['GET', '/tasks/t'],
  tasks: ['GET', '/tasks'],
  cancel: ['POST', '/tasks/t/cancel'],
  erase: ['DELETE', '/tasks/t'],
  pause: ['POST', '/queues/default/pause'],
  purge: ['DELETE', '/dead-letters/dead'],
  stats: ['GET', '/stats'],
  metrics: ['GET', '/metrics'],
  head: ['HEAD', '/stats'],
} as const

type Name = keyof typeof requests
const names = Object.keys(requests) as Name[]

/** What each request comes to with one token: `in`, 401 or 403. */
async function verdicts(token: string | undefined): Promise<Record<string, number | 'in'>> {
  const app = await api({ tokens })
  app.operator.tasksById.set('t', task('t', 'dead'))
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const seen: Record<string, number | 'in'> = {}
  for (const name of names) {
    const [method, url] = requests[name]
    const { statusCode } = await app.inject({ method, url, headers })
    seen[name] = statusCode === 401 || statusCode === 403 ? statusCode : 'in'
  }
  return seen
}

const onlyIn = (admitted: readonly Name[], otherwise: number) =>
  Object.fromEntries(names.map((name) => [name, admitted.includes(name) ? 'in' : otherwise]))

const open: Name[] = ['health', 'ready']

describe('with tokens', () => {
  test('no token and a wrong one open health and readiness alone', async () => {
    expect(await verdicts(undefined)).toEqual(onlyIn(open, 401))
    expect(await verdicts('another')).toEqual(onlyIn(open, 401))
  })

  test('each API token opens everything', async () => {
    for (const token of tokens.api) expect(await verdicts(token)).toEqual(onlyIn(names, 403))
  })

  test('an enqueue token opens enqueuing and looking at a task', async () => {
    const admitted: Name[] = [...open, 'enqueue', 'batch', 'mixed', 'task']
    expect(await verdicts('enqueue-token')).toEqual(onlyIn(admitted, 403))
  })

  test('a read token opens every GET', async () => {
    const admitted: Name[] = [...open, 'task', 'tasks', 'stats', 'metrics', 'head']
    expect(await verdicts('read-token')).toEqual(onlyIn(admitted, 403))
  })

  test('401 asks for a token, as a problem, before the body is looked at', async () => {
    const app = await api({ tokens })
    const headers = { 'content-type': 'text/plain' }
    const request = { method: 'POST', url: '/enqueue/email', payload: 'x' } as const
    const reply = await app.inject({ ...request, headers })
    expect(reply.headers['www-authenticate']).toBe('Bearer realm="redisdistro"')
    expect(reply.json()).toMatchObject({ status: 401, code: 'unauthorized' })
    const wrong = await app.inject({ url: '/stats', headers: { authorization: 'Bearer no' } })
    expect(wrong.headers['www-authenticate']).toContain('invalid_token')
  })

  test('a token in the address opens nothing', async () => {
    const app = await api({ tokens })
    const reply = await app.inject('/stats?token=api-token-1&access_token=api-token-1')
    expect(reply.statusCode).toBe(401)
  })

  test('an unknown route is told only to who has a token', async () => {
    const app = await api({ tokens })
    expect((await app.inject('/nowhere')).statusCode).toBe(401)
    const headers = { authorization: 'Bearer read-token' }
    expect((await app.inject({ method: 'POST', url: '/nowhere', headers })).statusCode).toBe(404)
  })

  test('a foreign Host is no matter, since the token speaks', async () => {
    const app = await api({ tokens })
    const headers = { host: 'api.example.com', authorization: 'bearer api-token-1' }
    expect((await app.inject({ url: '/stats', headers })).statusCode).toBe(200)
  })
})

describe('without tokens', () => {
  test.each([
    [{ host: 'evil.example' }, 'Host'],
    [{ host: 'evil.example:3000' }, 'Host'],
    [{ host: 'localhost@evil.example' }, 'Host'],
    [{ host: 'evil@localhost' }, 'Host'],
    [{ host: 'localhost.evil.example' }, 'Host'],
    [{ host: '192.168.0.7' }, 'Host'],
    [{ host: '' }, 'Host'],
    [{ host: 'localhost', origin: 'https://evil.example' }, 'Origin'],
    [{ host: 'localhost', origin: 'null' }, 'Origin'],
    [{ host: 'localhost:3000', origin: 'http://localhost:5173' }, 'Origin'],
    [{ host: 'localhost:3000', origin: 'http://localhost' }, 'Origin'],
    [{ host: 'localhost:3000', origin: 'https://localhost:3000' }, 'Origin'],
    [{ host: 'localhost:3000', origin: 'http://127.0.0.1:3000' }, 'Origin'],
    [{ host: 'localhost:3000', origin: 'http://app.localhost:3000' }, 'Origin'],
    [{ host: 'localhost:3000', origin: '' }, 'Origin'],
    [{ origin: 'http://localhost:3000' }, 'Origin'],
    [{ host: 'localhost:3000', origin: 'http://LOCALHOST:3000' }, undefined],
    [{ host: 'localhost', origin: 'http://localhost:80' }, undefined],
    [{ host: '[::1]:3000', origin: 'http://[::1]:3000' }, undefined],
    [{ host: '127.0.0.1:3000' }, undefined],
    [{ host: '[::1]:3000' }, undefined],
    [{ host: 'app.localhost' }, undefined],
    [{ host: 'QUEUE.internal:80' }, undefined],
    [{}, undefined],
  ])('%o is foreign by %s', (headers, header) => {
    expect(foreignHeader(headers, { host: 'queue.internal', protocol: 'http' })).toBe(header)
  })

  test('a foreign Host or Origin is 403', async () => {
    const app = await api()
    const foreign = [
      { host: 'evil.example' },
      { origin: 'https://evil.example' },
      { host: 'localhost:3000', origin: 'http://localhost:5173' },
    ]
    for (const headers of foreign) {
      const reply = await app.inject({ method: 'POST', url: '/queues/default/pause', headers })
      expect(reply.json()).toMatchObject({ status: 403, code: 'forbidden' })
    }
    expect((await app.inject('/queues')).statusCode).toBe(200)
  })
})

test('a scheme other than Bearer and an empty token open nothing', () => {
  const gate = createGate({ api: ['secret-token'], enqueue: [], read: [] })
  for (const given of ['Basic secret-token', 'secret-token', 'Bearer', 'Bearer ', 'Bearer a b']) {
    expect(gate.judge(given, 'read')).toEqual({ verdict: 'wrong' })
  }
  expect(gate.judge('Bearer secret-token', 'read')).toMatchObject({ verdict: 'admitted' })
})
