import { RedisDistroError } from '../core/errors.js'

/** What a kernel may be started as: the API that takes tasks in, the workers that run them. */
const roles = ['producer', 'worker'] as const

export type Role = (typeof roles)[number]

/**
 * Which roles were asked for; both where none are named.
 * @throws RedisDistroError `bad_option` for a name that is no role
 */
export function rolesOf(asked: readonly string[] = roles): Readonly<Record<Role, boolean>> {
  const unknown = asked.filter((name) => !(roles as readonly string[]).includes(name))
  if (unknown.length > 0) {
    const named = unknown.map((name) => `'${name}'`).join(', ')
    const message = `${named} is no role; there are ${roles.join(', ')}`
    throw new RedisDistroError('bad_option', `roles: ${message}`, {
      issues: [{ path: 'roles', message }],
    })
  }
  return { producer: asked.includes('producer'), worker: asked.includes('worker') }
}
