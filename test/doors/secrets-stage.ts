import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { startRedis } from '../support/redis.js'

/** A word that stands nowhere else, so that nobody knows it from before. */
export const word = (name: string): string => `${name}-${Math.random().toString(36).slice(2, 10)}Q7`

/** What nobody may read, by the place that it stands in. */
export const secrets = {
  redisPassword: `r3d/s@Pa:ss-${word('pw')}`,
  wrongPassword: word('wrong-password'),
  apiToken: word('api-token'),
  secondApiToken: word('api-token-two'),
  enqueueToken: word('enqueue-token'),
  readToken: word('read-token'),
  smtpOption: `op+t&${word('smtp-option')}`,
  smtpUrl: word('smtp-url'),
  dotenvKey: word('payment'),
  configToken: word('config-token'),
  pluginOption: word('plugin-option'),
}

const encodings = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64'),
]

/** The names of the secrets that a text shows, in any of the forms that they are written in. */
export function shownIn(text: string): string[] {
  return Object.entries(secrets)
    .filter(([, secret]) => encodings(secret).some((form) => text.includes(form)))
    .map(([name]) => name)
}

/** A Redis with a user of the ACL whose password is a secret; `url` is the user's. */
export async function guardedRedis() {
  const { redisPassword } = secrets
  const acl = ['app', 'on', `>${redisPassword}`, '~*', '&*', '+@all']
  const redis = await startRedis(['--user', ...acl])
  const urlOf = (password: string) =>
    `redis://app:${encodeURIComponent(password)}@127.0.0.1:${redis.port}`
  return { redis, url: urlOf(redisPassword), wrongUrl: urlOf(secrets.wrongPassword) }
}

async function read(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'hash':
      return await redis.hgetall(key)
    case 'zset':
      return await redis.zrange(key, '0', '-1')
    case 'set':
      return await redis.smembers(key)
    case 'list':
      return await redis.lrange(key, 0, -1)
    default:
      return await redis.get(key)
  }
}

/** Everything that lies in a Redis, as text. */
export async function everythingIn(url: string): Promise<string> {
  const redis = new Redis(url)
  try {
    const keys = await redis.keys('*')
    const values = await Promise.all(keys.map((key) => read(redis, key)))
    return keys.map((key, at) => `${key} ${JSON.stringify(values[at])}`).join('\n')
  } finally {
    redis.disconnect()
  }
}

/** Every file of a folder as text, but for those that the user wrote. */
export async function filesIn(folder: string, written: readonly string[]): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !written.some((name) => path === join(folder, name)))
  return (await Promise.all(paths.map((path) => readFile(path, 'latin1')))).join('\n')
}

/** Tasks that do what a careless plugin does with what it knows. */
export const careless = `
import { definePlugin, defineTask, FatalError } from 'redisdistro'
import { z } from 'zod'
const all = () => JSON.stringify(process.env)
const task = (type, handle) =>
  defineTask({ type, payload: z.object({}), retry: { attempts: 1 }, handle })
const alone = () => process.argv[1].endsWith('child.js')
const plugin = definePlugin({
  name: 'careless',
  options: z.object({ apiKey: z.string(), deep: z.object({ urls: z.array(z.string()) }) }),
  tasks: ({ apiKey, deep }) => [
    task('throws', () => {
      const error = new Error('cannot reach ' + process.env.REDIS_URL + ' with ' + all())
      throw Object.assign(error, { code: 'E_' + apiKey, cause: new Error(all()) })
    }),
    task('throws-text', () => Promise.reject(all())),
    task('fatal', () => { throw new FatalError(apiKey + deep.urls[0] + 'x'.repeat(1900) + all()) }),
    task('logs', (_, { log }) => {
      const auth = { name: 'auth', args: ['app', process.env.SMTP_URL] }
      const error = Object.assign(new Error(all()), { command: auth, input: apiKey })
      const deeper = { a: { b: { c: { d: [all(), { password: apiKey }] } } } }
      for (const level of ['debug', 'info', 'warn', 'error']) {
        log[level]('with ' + all(), { error, err: error, deeper, url: new URL(deep.urls[0]), token: apiKey })
      }
      return 'logged'
    }),
    task('crash', () => { setTimeout(() => { throw Object.assign(new Error(all()), { env: all() }) }) }),
    task('reject', () => { void Promise.reject(new Error(all())) }),
    task('reject-text', () => { void Promise.reject(all()) }),
    task('poison', () => {
      if (alone()) {
        console.error(all())
        console.error(apiKey + ' ' + deep.urls[0])
        process.kill(process.pid, 'SIGKILL')
      }
      setTimeout(() => { throw new Error(all()) })
      return new Promise(() => {})
    }),
  ],
  setup({ log }) { log.info('set up with ' + all(), { env: { ...process.env } }) },
})
export default plugin
`
