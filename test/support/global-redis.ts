import type { TestProject } from 'vitest/node'
import { findOrFetch } from '../../scripts/redis-server.mjs'
import { startRedisProcess } from './redis-process.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The suite's one redis-server; each file keeps to a key prefix of its own. */
    readonly redisUrl: string
    /** The path of the redis-server program. */
    readonly redisServer: string
  }
}

/** Starts the redis-server that all test files share; gives what stops it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const program = await findOrFetch()
  const redis = await startRedisProcess({ program })
  project.provide('redisUrl', redis.url)
  project.provide('redisServer', program)
  return () => redis.stop()
}
