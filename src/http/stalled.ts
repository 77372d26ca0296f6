import type { FastifyInstance } from 'fastify'

/** Characters or bytes that a connection takes at once, whether its other end reads or not. */
const longAnswer = 64 * 1024
/** Stalls that a whole answer may last. */
const patience = 10

const isLong = (payload: unknown): boolean =>
  (typeof payload === 'string' || Buffer.isBuffer(payload)) && payload.length >= longAnswer

/**
 * Cuts off whoever does not take a long answer, which would be held in memory meanwhile: after
 * `stall` ms without a byte, and after ten times that in all.
 */
export function cutStalled(app: FastifyInstance, stall: number): void {
  app.addHook('onSend', (request, reply, payload, next) => {
    if (isLong(payload)) {
      const { socket } = request.raw
      // Node sets its own timeout again with the next request on the connection.
      socket.setTimeout(stall)
      const end = setTimeout(() => socket.destroy(), stall * patience).unref()
      reply.raw.once('close', () => clearTimeout(end))
    }
    next()
  })
}
