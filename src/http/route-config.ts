import type { Access } from './auth.js'

/**
 * Bodies that a route takes: `payload` JSON, `batch` JSON or NDJSON, `filter` JSON or none, `none`
 * nothing (an empty object is let pass, since many clients send one).
 */
export type BodyKind = 'payload' | 'batch' | 'filter' | 'none'

/** Characters of one name in a path, as it is sent; an id or a name of ours has 128 at most. */
export const maxParamLength = 512

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Left out: `read` for a GET, `write` for all else. */
    access?: Access
    /** Left out: `none`. */
    takes?: BodyKind
  }
}
