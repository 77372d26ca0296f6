import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface LossyProxy {
  readonly port: number
  /** Where connections go; set before the first comes. */
  target: number
  /** The next script call reaches the server, and its connection ends before the answer. */
  loseNextAnswer(): void
  /** What is open now stays open, and nothing goes through it any more. */
  mute(): void
  /** What comes from now on is kept back, until `letGo`. */
  hold(): void
  letGo(): void
  close(): Promise<void>
}

/** A TCP proxy on loopback that loses what a test wants lost. */
export async function startLossyProxy(): Promise<LossyProxy> {
  const pairs = new Set<{ client: Socket; server: Socket; mute: boolean }>()
  let losing = false
  let holding = false
  const listener = createServer((client) => {
    const server = connect(proxy.target, '127.0.0.1')
    const pair = { client, server, mute: false }
    pairs.add(pair)
    let doomed = false
    client.on('data', (chunk) => {
      if (losing && /evalsha/i.test(chunk.toString('latin1'))) {
        losing = false
        doomed = true
      }
      if (!pair.mute) server.write(chunk)
    })
    server.on('data', (chunk) => {
      if (doomed) client.destroy()
      else if (!pair.mute) client.write(chunk)
    })
    if (holding) client.pause()
    const end = () => {
      client.destroy()
      server.destroy()
      pairs.delete(pair)
    }
    for (const socket of [client, server]) socket.on('error', end).on('close', end)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const proxy: LossyProxy = {
    port: (listener.address() as AddressInfo).port,
    target: 0,
    loseNextAnswer: () => {
      losing = true
    },
    mute: () => {
      for (const pair of pairs) pair.mute = true
    },
    hold: () => {
      holding = true
      for (const { client } of pairs) client.pause()
    },
    letGo: () => {
      holding = false
      for (const { client } of pairs) client.resume()
    },
    close: async () => {
      for (const { client } of pairs) client.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
  return proxy
}
