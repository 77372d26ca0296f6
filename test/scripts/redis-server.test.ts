import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testRedisServer } from '../support/redis.js'

const script = fileURLToPath(new URL('../../scripts/redis-server.mjs', import.meta.url))

let cache: string

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'redisdistro-cache-'))
})

afterEach(() => rm(cache, { recursive: true }))

describe('scripts/redis-server.mjs', () => {
  test('prints the program that REDISDISTRO_REDIS_SERVER names', async () => {
    const { stdout } = await run({ REDISDISTRO_REDIS_SERVER: testRedisServer() })
    expect(stdout).toBe(`${testRedisServer()}\n`)
  })

  test('prints the one on PATH', async () => {
    await writeProgram(join(cache, 'bin', 'redis-server'))
    const { stdout } = await run({ PATH: join(cache, 'bin') })
    expect(stdout).toBe(`${join(cache, 'bin', 'redis-server')}\n`)
  })

  test('prints the one that it fetched before', async () => {
    const fetched = join(cache, 'redisdistro', 'redis-server', 'redis-server')
    await writeProgram(fetched)
    const { stdout, stderr } = await run({})
    expect({ stdout, stderr }).toEqual({ stdout: `${fetched}\n`, stderr: '' })
  })

  test('says how to install one where it can neither find nor fetch it', async () => {
    await expect(run({})).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/brew install.*apt-get install.*REDISDISTRO_REDIS_SERVER/s),
    })
  })
})

/** Without apt-get on PATH, so that nothing is ever fetched. */
function run(env: Record<string, string>) {
  const whole = { PATH: '/nowhere', HOME: cache, XDG_CACHE_HOME: cache, ...env }
  return promisify(execFile)(process.execPath, [script], { env: whole })
}

async function writeProgram(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, '#!/bin/sh\nexit 0\n')
  await chmod(path, 0o755)
}
