import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on loopback to `target`, a port; each way takes half of `ms` longer. */
export async function startLatencyProxy(target: number, ms: number) {
  const open = new Set<Socket>()
  const join = (from: Socket, to: Socket) => {
    open.add(from)
    from.setNoDelay(true)
    from.on('data', (bytes) => {
      setTimeout(() => to.writable && to.write(bytes), ms / 2)
    })
    from.on('error', () => to.destroy())
    from.on('close', () => {
      open.delete(from)
      to.destroy()
    })
  }
  const listener = createServer((client) => {
    const server = connect(target, '127.0.0.1')
    join(client, server)
    join(server, client)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    async close(): Promise<void> {
      for (const socket of open) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}
