import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { FatalError } from 'redisdistro'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { failureOf, hello, setUp, setUpWithServer } from './harness.js'

/** Listens on a free loopback port; the test's end stops it with its connections. */
async function listen(onConnection: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const stop = async () => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(stop)
  return { port, stop }
}

describe('what the network does', () => {
  test('a server that is down is left to the retry policy', async () => {
    const { port, stop } = await listen(() => {})
    await stop()
    const { send } = await setUp({ smtp: `smtp://127.0.0.1:${port}` })
    const error = await failureOf(send(hello))
    expect(error).not.toBeInstanceOf(FatalError)
    expect(error.message).toContain('ECONNREFUSED')
  })

  test('a server that hangs up costs the attempt one connection, without hidden repeats', async () => {
    let connections = 0
    const { port } = await listen((socket) => {
      connections += 1
      socket.end()
    })
    const { send } = await setUp({ smtp: `smtp://127.0.0.1:${port}` })
    expect(await failureOf(send(hello))).not.toBeInstanceOf(FatalError)
    expect(connections).toBe(1)
  })

  test('a silent server is given up by the timeout, which the URL may set', async () => {
    const { port } = await listen(() => {})
    const { send } = await setUp({ smtp: `smtp://127.0.0.1:${port}?greetingTimeout=50` })
    const error = await failureOf(send(hello))
    expect(error.message).toMatch(/greeting/i)
    expect(error).not.toBeInstanceOf(FatalError)
  })

  test('a server whose certificate nobody signed gets no mail', async () => {
    const { sink, send } = await setUpWithServer({ startTls: true })
    const error = await failureOf(send(hello))
    expect(error).not.toBeInstanceOf(FatalError)
    expect(error.message).toMatch(/certificate/i)
    expect(sink.received).toEqual([])
  })
})

describe('the signal', () => {
  test('an aborted task connects to nobody', async () => {
    const { sink, send } = await setUpWithServer({ onConnect: () => expect.fail('connected') })
    const reason = new Error('cancelled')
    expect(await failureOf(send(hello, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(sink.received).toEqual([])
  })

  test('an abort in the middle gives the delivery up with the signal’s reason', async () => {
    const controller = new AbortController()
    let answer = () => {}
    const { sink, send } = await setUpWithServer({
      beforeAnswer: () => {
        controller.abort(new Error('shutting down'))
        return new Promise((resolve) => {
          answer = resolve
        })
      },
    })
    const error = await failureOf(send(hello, { signal: controller.signal }))
    expect(error.message).toBe('shutting down')
    await vi.waitUntil(() => sink.connections() === 0)
    answer()
  })
})

test('closing the plugin closes the pool’s connections', async () => {
  const { sink, send, close } = await setUpWithServer()
  await send(hello)
  expect(sink.connections()).toBe(1)
  await close()
  await vi.waitUntil(() => sink.connections() === 0)
})
