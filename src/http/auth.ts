import { createHash, timingSafeEqual } from 'node:crypto'

/** Bearer tokens by what they open; several of each, for rotation. */
export interface HttpTokens {
  readonly api: readonly string[]
  readonly enqueue: readonly string[]
  readonly read: readonly string[]
}

/**
 * What a route asks for: nothing (`open`, and `page`, which is counted by address like all else), a
 * token for enqueuing, for looking at one task, for reading, for all else (`write`), or any token.
 */
export type Access = 'open' | 'page' | 'enqueue' | 'task' | 'read' | 'write' | 'any'

/** `missing` and `wrong` are 401, `insufficient` is 403. */
export type Verdict = 'admitted' | 'missing' | 'wrong' | 'insufficient'

export interface Judgement {
  readonly verdict: Verdict
  /** A digest of the token that was one of this server's, to tell callers apart by. */
  readonly token?: string
}

export interface Gate {
  /** True where there are tokens at all; without, callers are told by Host and Origin. */
  readonly guarded: boolean
  judge(authorization: string | undefined, access: Access): Judgement
}

type Role = keyof HttpTokens

const opens: Record<Role, readonly Access[]> = {
  api: ['enqueue', 'task', 'read', 'write', 'any'],
  enqueue: ['enqueue', 'task', 'any'],
  read: ['task', 'read', 'any'],
}

/** The tokens that open what asks for `access`; none where none is wanted. */
export const openers = (access: Access): Role[] =>
  (Object.keys(opens) as Role[]).filter((role) => opens[role].includes(access))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const bearer = /^Bearer +(\S+) *$/i

/**
 * The keeper of the tokens. Digests of equal length are compared in constant time, and always with
 * every token, so that how long it takes tells nothing.
 */
export function createGate(tokens: HttpTokens): Gate {
  const roles: readonly Role[] = ['api', 'enqueue', 'read']
  const known = roles.flatMap((role) =>
    tokens[role].map((token) => ({ role, hash: digest(token) })),
  )
  return {
    guarded: known.length > 0,
    judge(authorization, access) {
      if (known.length === 0 || openers(access).length === 0) return { verdict: 'admitted' }
      if (authorization === undefined) return { verdict: 'missing' }
      const given = digest(bearer.exec(authorization)?.[1] ?? '')
      const fitting = known.filter(({ hash }) => timingSafeEqual(hash, given))
      if (fitting.length === 0) return { verdict: 'wrong' }
      const opened = fitting.some(({ role }) => opens[role].includes(access))
      return { verdict: opened ? 'admitted' : 'insufficient', token: given.toString('base64') }
    },
  }
}
