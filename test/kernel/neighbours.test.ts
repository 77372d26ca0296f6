import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { newLife } from '../../src/core/life.js'
import { Neighbours } from '../../src/kernel/neighbours.js'
import { silentLog } from '../../src/telemetry/log.js'
import { until } from '../support/until.js'

async function meetingPlace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'neighbours-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** One that lives in this process, and how often it told that others are gone. */
function moveIn(...places: [string | undefined] | []) {
  const told = { times: 0 }
  const own = newLife()
  const neighbours = new Neighbours({
    own,
    lease: 30_000,
    log: silentLog,
    ...(places.length > 0 && { folder: async () => places[0] }),
    onGone: () => {
      told.times += 1
    },
  })
  onTestFinished(() => neighbours.stop())
  return { neighbours, own, told }
}

const sleeper = (): ChildProcess => {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** As a kernel of this process writes it. */
async function fileOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  return `${pid} ${text.slice(text.lastIndexOf(')') + 2).split(' ')[19]} 30000\n`
}

const linux = process.platform === 'linux'

describe.skipIf(!linux)('neighbours', () => {
  test('a process that has ended is gone after a while, and is told of once', async () => {
    const folder = await meetingPlace()
    const { neighbours, told } = moveIn(folder)
    const child = sleeper()
    const life = newLife()
    await writeFile(join(folder, life), await fileOf(child.pid as number))
    await neighbours.tick()
    await kill(child)
    await neighbours.tick()
    // What it left behind has its time to end.
    expect(neighbours.gone).toEqual([])
    await until(async () => {
      await neighbours.tick()
      return neighbours.gone.length > 0
    })
    await neighbours.tick()
    expect(neighbours.gone).toEqual([life])
    expect(told.times).toBe(1)
  })

  test('the living stay, by whatever name their file tells of them, and nobody is killed', async () => {
    const folder = await meetingPlace()
    const { neighbours, told } = moveIn(folder)
    const other = moveIn(folder).neighbours
    await writeFile(join(folder, newLife()), await fileOf(sleeper().pid as number))
    // Where the system does not say when it started.
    await writeFile(join(folder, newLife()), `${sleeper().pid}  30000\n`)
    for (const text of [
      '',
      'x',
      '12',
      '999999999',
      '1 2 3 4\n',
      '-1 5 30000\n',
      '99999999999999 1 1\n',
    ]) {
      await writeFile(join(folder, newLife()), text)
    }
    await writeFile(join(folder, 'nobody'), '999999999 1 30000\n')
    for (let i = 0; i < 10; i += 1) await Promise.all([neighbours.tick(), other.tick()])
    expect(neighbours.gone).toEqual([])
    expect(told.times).toBe(0)
  })

  test('another process under the same number is not the one of the file', async () => {
    const folder = await meetingPlace()
    const { neighbours } = moveIn(folder)
    const life = newLife()
    await writeFile(join(folder, life), `${process.pid} 1 30000\n`)
    await until(async () => {
      await neighbours.tick()
      return neighbours.gone.includes(life)
    })
  })

  test('one that ended and that nobody has waited for is gone', async () => {
    const folder = await meetingPlace()
    const { neighbours } = moveIn(folder)
    // A shell that becomes a process which waits for no child.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 300'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    onTestFinished(() => void parent.kill('SIGKILL'))
    const [line] = await once(parent.stdout, 'data')
    const pid = Number(String(line))
    await until(async () => /\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8')))
    const life = newLife()
    await writeFile(join(folder, life), await fileOf(pid))
    await until(async () => {
      await neighbours.tick()
      return neighbours.gone.includes(life)
    })
  })

  test('each comes in with a file, again where it was tidied away, and leaves with it', async () => {
    const folder = await meetingPlace()
    const { neighbours, own } = moveIn(folder)
    await neighbours.tick()
    expect(await readFile(join(folder, own), 'utf8')).toBe(await fileOf(process.pid))
    await rm(join(folder, own))
    await neighbours.tick()
    expect(await readdir(folder)).toEqual([own])
    // A disk that was full leaves an empty one.
    await writeFile(join(folder, own), '')
    await neighbours.tick()
    expect(await readFile(join(folder, own), 'utf8')).toBe(await fileOf(process.pid))
    await neighbours.stop()
    expect(await readdir(folder)).toEqual([])
  })

  test('its file is there once the start is over, and stays where others have to take back', async () => {
    const folder = await meetingPlace()
    const { neighbours, own } = moveIn(folder)
    await neighbours.start()
    expect(await readdir(folder)).toEqual([own])
    await neighbours.stop({ left: false })
    expect(await readdir(folder)).toEqual([own])
  })

  test('of very many that are gone the last ones are kept', async () => {
    const folder = await meetingPlace()
    const { neighbours, own } = moveIn(folder)
    const old = Array.from({ length: 150 }, newLife)
    for (const [n, life] of old.entries()) {
      await writeFile(join(folder, life), '999999999 1 30000\n')
      await utimes(join(folder, life), n + 1, n + 1)
    }
    await neighbours.tick()
    expect(new Set(await readdir(folder))).toEqual(new Set([own, ...old.slice(50)]))
  })

  test('they meet in a folder that is their user’s alone, or nowhere', async () => {
    const { TMPDIR } = process.env
    onTestFinished(() => {
      if (TMPDIR === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = TMPDIR
    })
    const place = await meetingPlace()
    process.env['TMPDIR'] = place
    const { neighbours, own } = moveIn()
    await neighbours.tick()
    const [name = ''] = await readdir(place)
    const folder = join(place, name)
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect(await readdir(folder)).toEqual([own])
    await chmod(folder, 0o777)
    await moveIn().neighbours.tick()
    expect(await readdir(folder)).toEqual([own])
  })

  test('where no place is to be had, all are taken for alive', async () => {
    const { neighbours } = moveIn(undefined)
    await neighbours.tick()
    expect(neighbours.gone).toEqual([])
    const missing = moveIn(join(tmpdir(), randomUUID(), 'missing')).neighbours
    await missing.tick()
    expect(missing.gone).toEqual([])
  })
})
