import type { Started } from '../kernel/kernel.js'
import type { ResolvedConfig } from '../kernel/resolved-config.js'
import type { Role } from '../kernel/roles.js'
import { paint, pairs } from './output.js'

/** What a kernel runs, as `start` says it. */
export interface Boot {
  /** Of the kernel's process. */
  readonly pid: number
  readonly roles: readonly Role[]
  /** What the tasks lie in. */
  readonly store: string
  /** Where the API listens, or in the worker's role its health. */
  readonly url?: string
  /** The queues that are worked here. */
  readonly queues: readonly { readonly name: string; readonly concurrency: number }[]
  readonly plugins: readonly { readonly name: string; readonly types: readonly string[] }[]
  /** A command that enqueues a first task. */
  readonly example?: string
}

export interface BootParts {
  readonly roles: readonly Role[]
  readonly queues: readonly string[] | undefined
  readonly started: Started
}

/** Gathers what there is to say of a kernel that has started. */
export function bootOf(config: ResolvedConfig, { roles, queues, started }: BootParts): Boot {
  const { store, url } = started
  const real = queues?.map((name) => (name === 'default' ? config.defaultQueue : name))
  const worked = [...config.queues]
    .filter(([name]) => roles.includes('worker') && (real === undefined || real.includes(name)))
    .map(([name, { concurrency }]) => ({ name, concurrency }))
  const plugins = config.plugins.map(({ name, tasks }) => ({
    name,
    types: tasks.map(({ type }) => type),
  }))
  const example = roles.includes('producer') && url !== undefined && exampleOf(config, url)
  return {
    pid: process.pid,
    roles,
    store,
    ...(url === undefined ? {} : { url }),
    queues: worked,
    plugins,
    ...(example ? { example } : {}),
  }
}

function exampleOf({ tasks, http }: ResolvedConfig, url: string): string | undefined {
  if (!tasks.has('email') || http === false) return undefined
  const guarded = Object.values(http.tokens ?? {}).some((tokens) => tokens.length > 0)
  const token = guarded ? ' -H "authorization: Bearer $ENQUEUE_TOKEN"' : ''
  const mail = { to: 'you@example.com', subject: 'Hello', body: 'It works.' }
  const type = "-H 'content-type: application/json'"
  return `curl ${url}/enqueue/email ${type}${token} -d '${JSON.stringify(mail)}'`
}

/** The same for people. */
export function bannerOf({ roles, store, url, queues, plugins, example }: Boot): string {
  const address = roles.includes('producer') ? 'API' : 'health'
  const listed = pairs([
    ['  tasks in', store],
    [`  ${address}`, url],
    ['  queues', queues.map(({ name, concurrency }) => `${name} (${concurrency})`).join(', ')],
    ['  plugins', plugins.map(({ name, types }) => `${name} (${types.join(', ')})`).join(', ')],
  ])
  const first = paint('green', `RedisDistro is ready: ${roles.join(' and ')}`)
  const hint = example === undefined ? '' : `\n\nTry it:\n  ${example}`
  return `${first}\n${listed}${hint}\n`
}
