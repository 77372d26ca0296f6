import { createRequire } from 'node:module'

/** The part of ioredis-mock that is used here; none of it needs a reply transformer of ioredis. */
export interface MockRedis {
  eval(text: string, keys: number, ...values: string[]): Promise<unknown>
  lpop(key: string): Promise<string | null>
  hscan(key: string, cursor: string, word: 'COUNT', count: string): Promise<[string, string[]]>
  lrange(key: string, from: number, to: number): Promise<string[]>
  hset(key: string, ...pairs: string[]): Promise<number>
  zscan(key: string, cursor: string, word: 'COUNT', count: string): Promise<[string, string[]]>
  disconnect(): void
}

/** What the stores of one name share: one mock, and who looks when a script has run. */
export interface Room {
  readonly redis: MockRedis
  readonly waiting: Set<() => void>
  users: number
}

const rooms = new Map<string, Room>()

/** Enters the room of a name. Whoever enters must leave. */
export function enterRoom(name: string): Room {
  const room = rooms.get(name) ?? { redis: openMock(name), waiting: new Set(), users: 0 }
  rooms.set(name, room)
  room.users += 1
  return room
}

/** The last to leave disconnects the mock; what it holds stays until the process ends. */
export function leaveRoom(name: string, room: Room): void {
  room.users -= 1
  if (room.users > 0) return
  room.redis.disconnect()
  rooms.delete(name)
}

function openMock(name: string): MockRedis {
  // Loaded only here: no one who has a Redis pays for it.
  const require = createRequire(import.meta.url)
  const Mock = require('ioredis-mock') as new (options: { host: string; port: number }) => MockRedis
  return new Mock({ host: `redisdistro-${name}`, port: 1 })
}

/** Waits until a script has run. */
export function nextScript(room: Room, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      room.waiting.delete(done)
      stop.removeEventListener('abort', done)
      resolve()
    }
    room.waiting.add(done)
    stop.addEventListener('abort', done, { once: true })
    if (stop.aborted) done()
  })
}

/**
 * Takes a mark out of a list, at once or when a script has left one. Never throws. It looks anew
 * only after its last look has answered, since one who waits must not take two marks.
 */
export async function takeMark(room: Room, key: string, stop: AbortSignal): Promise<void> {
  let rung = false
  let ring: () => void = () => undefined
  const look = () => {
    rung = true
    ring()
  }
  room.waiting.add(look)
  stop.addEventListener('abort', look, { once: true })
  while (!stop.aborted) {
    rung = false
    if ((await room.redis.lpop(key).catch(() => null)) !== null) break
    if (rung) continue
    await new Promise<void>((resolve) => {
      ring = resolve
    })
  }
  room.waiting.delete(look)
}
