import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'

/** Something between callers and a Redis that can swallow what passes, and closes nothing. */
export interface BlackHole {
  readonly port: number
  /** From now on; of what Redis answers to scripts alone, where so asked. */
  swallow(what?: 'all' | 'answers'): Promise<void>
  /** New connections get through again; what was swallowed never comes. */
  heal(): Promise<void>
}

/** A proxy on loopback. Connections that lost a byte stay mute, and open. */
export async function proxiedHole(target: number): Promise<BlackHole> {
  const open = new Set<Socket>()
  let swallowing: 'all' | 'answers' | undefined
  const listener = createServer((client) => {
    const server = connect(target, '127.0.0.1')
    let deaf = false
    let mute = false
    client.on('data', (chunk) => {
      deaf ||= swallowing === 'all'
      mute ||= swallowing === 'answers' && /evalsha/i.test(chunk.toString('latin1'))
      if (!deaf) server.write(chunk)
    })
    server.on('data', (chunk) => {
      mute ||= swallowing === 'all'
      if (!mute) client.write(chunk)
    })
    for (const socket of [client, server]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    listener.close()
  })
  return {
    port: (listener.address() as AddressInfo).port,
    async swallow(what = 'all') {
      swallowing = what
    },
    async heal() {
      swallowing = undefined
    },
  }
}

const run = promisify(execFile)
const tables = (how: '-I' | '-D', port: number) =>
  Promise.all(
    ['--sport', '--dport'].map((end) =>
      run('iptables', ['-w', how, 'INPUT', '-i', 'lo', '-p', 'tcp', end, `${port}`, '-j', 'DROP']),
    ),
  )

/** True where packets of a port can be dropped on this machine. */
export const mayDropPackets = async (): Promise<boolean> =>
  process.getuid?.() === 0 &&
  (await run('iptables', ['-w', '-S', 'INPUT']).then(
    () => true,
    () => false,
  ))

/** The system itself drops every packet of the port, both ways. */
export async function droppedPackets(port: number): Promise<BlackHole> {
  let dropping = false
  const heal = async () => {
    if (dropping) await tables('-D', port)
    dropping = false
  }
  onTestFinished(heal)
  return {
    port,
    async swallow() {
      dropping = true
      await tables('-I', port)
    },
    heal,
  }
}
