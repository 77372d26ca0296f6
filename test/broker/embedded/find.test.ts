import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findRedisServer } from '../../../src/broker/embedded/index.js'
import { testRedisServer } from '../../support/redis.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redisdistro-find-'))
  vi.stubEnv('PATH', `/nowhere:${folder}`)
  vi.stubEnv('REDISDISTRO_REDIS_SERVER', '')
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

describe('finding the program', () => {
  test('gives undefined where PATH has none, whatever lies elsewhere', async () => {
    expect(await findRedisServer()).toBeUndefined()
  })

  test.each(['redis-server', 'valkey-server'])('finds %s on PATH', async (name) => {
    await symlink(testRedisServer(), join(folder, name))
    expect(await findRedisServer()).toBe(join(folder, name))
  })

  test('passes over a file that cannot be run', async () => {
    await writeFile(join(folder, 'redis-server'), '')
    await chmod(join(folder, 'redis-server'), 0o644)
    expect(await findRedisServer()).toBeUndefined()
  })

  test('takes the one that REDISDISTRO_REDIS_SERVER names', async () => {
    vi.stubEnv('REDISDISTRO_REDIS_SERVER', testRedisServer())
    expect(await findRedisServer()).toBe(testRedisServer())
  })

  test('refuses a REDISDISTRO_REDIS_SERVER that is no program', async () => {
    vi.stubEnv('REDISDISTRO_REDIS_SERVER', join(folder, 'missing'))
    await expect(findRedisServer()).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining(join(folder, 'missing')),
    })
  })
})
