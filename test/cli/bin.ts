import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { until } from '../support/redis.js'

/** The built program; `npm test` builds it before. */
export const bin = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

/** Variables of the product that a developer's shell may hold. */
const ours = /^(REDIS_URL|QUEUE_KEY|DEAD_KEY|HOST|PORT|\w+_TOKEN|SMTP_URL|MAIL_FROM|LOG_LEVEL)$/

const cleanEnv = (more: Record<string, string>): Record<string, string | undefined> => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))),
  NODE_ENV: '',
  // Where a test leaves nothing on the PATH, the one that the suite was given must not be found.
  ...(more['PATH'] === undefined ? {} : { REDISDISTRO_REDIS_SERVER: '' }),
  ...more,
})

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Record<string, string>
  readonly input?: string
  /** The program's path, where it is called by another. */
  readonly program?: string
  /** A process group of its own, as a terminal gives to what it runs. */
  readonly detached?: boolean
  /** A shell's command to start instead. */
  readonly shell?: string
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program to its end. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, [options.program ?? bin, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: cleanEnv(options.env ?? {}),
  })
  child.stdin.end(options.input ?? '')
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return { code, stdout, stderr }
}

/** A `redisdistro start` that runs beside the test. */
export interface Running {
  readonly child: ChildProcess
  /** The whole of stdout and stderr so far. */
  output(): string
  /** The pids of the kernels that became ready, the newest last. */
  kernels(): number[]
  /** Resolves when as many kernels have become ready. */
  ready(count?: number): Promise<number>
  /** The exit code, or the signal's name. */
  readonly ended: Promise<number | string | null>
}

/** Starts the program; what still runs when the test has finished is killed. */
export function startBin(args: readonly string[], options: RunOptions = {}): Running {
  const { shell, cwd = tmpdir(), env = {}, detached = false } = options
  const [program, words] = shell
    ? ['/bin/sh', ['-c', shell]]
    : [process.execPath, [options.program ?? bin, ...args]]
  const child = spawn(program, words, {
    cwd,
    env: cleanEnv(env),
    detached,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  const kernels = () =>
    [...output.matchAll(/"pid":(\d+),.*"msg":"RedisDistro is ready"/g)].map(([, pid]) =>
      Number(pid),
    )
  const ready = async (count = 1): Promise<number> => {
    const look = () => {
      if (child.exitCode !== null) throw new Error(`it has ended:\n${output}`)
      return kernels()[count - 1]
    }
    return await until(look, { timeout: 60_000, describe: `kernel ${count} to be ready` })
  }
  onTestFinished(async () => {
    // Without it the kernel stops by itself.
    child.kill('SIGKILL')
    await ended
  })
  return { child, output: () => output, kernels, ready, ended }
}

/** Writes a project of files into a folder that goes when `clean` is called. */
export async function makeProject(
  files: Record<string, string>,
): Promise<{ readonly directory: string; clean(): Promise<void> }> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'redisdistro-cli-')))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), content)
  }
  return { directory, clean: () => rm(directory, { recursive: true, force: true }) }
}

/** The same, for one test. */
export async function project(files: Record<string, string>): Promise<string> {
  const { directory, clean } = await makeProject(files)
  onTestFinished(clean)
  return directory
}
