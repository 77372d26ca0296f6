// Plain JavaScript: scripts/ uses it before anything is built.
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'

const names = ['redis-server', 'valkey-server']

/**
 * The path of the redis-server to run: the one that `REDISDISTRO_REDIS_SERVER` names, else the
 * first `redis-server` or `valkey-server` on `PATH`, else undefined. Throws where the variable
 * names something that cannot be run: a wish that is set must not be passed over in silence.
 * @param {Readonly<Record<string, string | undefined>>} [environment] `process.env` if left out
 * @returns {Promise<string | undefined>}
 */
export async function findRedisServer(environment = process.env) {
  const named = environment['REDISDISTRO_REDIS_SERVER']
  if (named) {
    if (await isProgram(named)) return resolve(named)
    throw new Error(
      `REDISDISTRO_REDIS_SERVER is '${named}', which is not a file that can be run; ` +
        'it must be the path of a redis-server or valkey-server',
    )
  }
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue
    for (const name of names) {
      const path = join(folder, name)
      if (await isProgram(path)) return resolve(path)
    }
  }
  return undefined
}

/** @param {string} path */
async function isProgram(path) {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
