import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { OperatorContract } from '../client/contract.js'
import type { EventFeed, EventMessage } from '../client/event-feed.js'
import { RedisDistroError } from '../core/errors.js'
import type { Log } from '../telemetry/log.js'
import { describe } from './openapi/describe.js'
import { asProblem, badOption } from './problem.js'
import { readFields, word } from './query.js'
import { whenOver } from './when-over.js'

/** ms between two signs of life where nothing happens. */
const heartbeat = 15_000
/** ms after which a client that was cut off comes again. */
const retry = 1000

export interface EventParts {
  readonly operator: OperatorContract
  readonly log: Log
  /** Aborted when the server stops: then all listeners are let go. */
  readonly stopping: AbortSignal
}

const listenQuery = z.strictObject({
  queue: word.optional(),
  type: word.optional(),
  task: word.optional(),
  lastEventId: word.optional(),
})

const listen = describe({
  summary: 'Every move of tasks as it happens, as server-sent events',
  detail:
    'Each event is named by its transition; its id goes on where a listener left off, by ' +
    'Last-Event-ID or lastEventId. An event `gap` says that some before it are not kept; an event ' +
    '`error` is a problem, after which the answer ends.',
  tags: ['tasks'],
  query: listenQuery,
  headers: { 'Last-Event-ID': 'The id of the last event that was heard.' },
  answers: { 200: { says: 'The events.', media: 'text/event-stream', body: z.string() } },
  problems: ['bad_option', 'too_many_listeners', 'no_rights'],
})

const block = (name: string, cursor: string, data: unknown): string =>
  `event: ${name}\nid: ${cursor}\ndata: ${JSON.stringify(data)}\n\n`

const blockOf = (message: EventMessage): string =>
  'gap' in message
    ? block('gap', message.cursor, message.gap)
    : block(message.event.transition, message.cursor, message.event)

/** The answer, piece by piece, as fast as it is taken; an id alone says where to go on. */
async function* eventStream(feed: EventFeed, log: Log): AsyncGenerator<string> {
  yield `retry: ${retry}\nid: ${feed.cursor}\n\n`
  try {
    for (;;) {
      const messages = await feed.next(heartbeat)
      if (messages.length > 0) yield messages.map(blockOf).join('')
      else if (feed.closed) return
      else yield `:\nid: ${feed.cursor}\n\n`
    }
  } catch (error) {
    // Without an id: who comes again goes on after what it heard.
    yield `event: error\ndata: ${JSON.stringify(asProblem(error, { method: 'GET', log }))}\n\n`
  }
}

/** What a browser sends when it comes again is newer than what its page asked for at first. */
function cursorOf(header: string | string[] | undefined, asked: string | undefined) {
  if (Array.isArray(header)) throw badOption('lastEventId', 'is given more than once')
  return header || asked
}

/** `/events`: every move of the tasks that are asked for, as server-sent events. */
export function eventRoutes(
  app: FastifyInstance,
  { operator, log, stopping }: EventParts,
  maxListeners: number,
): void {
  let listeners = 0
  const feeds = new Set<EventFeed>()
  const closeAll = () => {
    for (const feed of feeds) feed.close()
  }
  stopping.addEventListener('abort', closeAll, { once: true })
  app.get('/events', { ...listen, exposeHeadRoute: false }, async ({ query, headers }, reply) => {
    const { lastEventId, ...filter } = readFields(listenQuery, query)
    const after = cursorOf(headers['last-event-id'], lastEventId)
    if (listeners >= maxListeners) {
      const words = `${maxListeners} listen already (http.maxListeners); come again later`
      throw new RedisDistroError('too_many_listeners', words)
    }
    listeners++
    whenOver(reply, () => {
      listeners--
    })
    const feed = await operator.events(filter, after)
    feeds.add(feed)
    whenOver(reply, () => {
      feeds.delete(feed)
      feed.close()
    })
    // One that is too slow is cut off.
    feed.slow.addEventListener('abort', () => reply.raw.req.socket.destroy(), { once: true })
    if (stopping.aborted) feed.close()
    reply.headers({
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
      // So that it is not left open when the events end, which a stop would wait for.
      connection: 'close',
    })
    return reply.send(Readable.from(eventStream(feed, log), { objectMode: false }))
  })
}
