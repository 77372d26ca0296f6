import { execFile } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { bin, project, run } from './bin.js'

test.each(['', 'task list', 'doctor'])(
  "'%s --help' prints its usage, and ends well",
  async (command) => {
    const { code, stdout, stderr } = await run([...command.split(' ').filter(Boolean), '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n')[0]).toContain(`Usage: redisdistro ${command}`.trimEnd())
  },
)

const wrongUses: [string, RegExp][] = [
  ['', /Usage: redisdistro/],
  ['task', /Usage: redisdistro task/],
  ['tsak list', /unknown command 'tsak'[\s\S]*task/],
  ['task lst', /unknown command 'lst'[\s\S]*list/],
  ['task show', /missing required argument 'id'/],
  ['task list extra', /too many arguments/],
  ['task list --state sleeping', /waiting, active/],
  ['task list --limit 0', /from 1 to 1000/],
  ['stats --jsno', /unknown option '--jsno'[\s\S]*--json/],
  ['start --port 65536', /from 0 to 65535/],
  ['start --queues a,,b', /separated by commas/],
  ['start --producer --queues a', /--worker/],
  ['enqueue email {oops', /not JSON/],
  ['enqueue email [9007199254740993]', /0: 9007199254740993 would become/],
  ['enqueue email {"a":1,"a":2}', /a: is given twice/],
  ['enqueue email {} --priority urgent', /low, normal, high, critical/],
  ['enqueue email {} --attempts many', /whole number/],
  ['enqueue email @none.json', /none\.json/],
  ['dead requeue dead --rate fast', /14\/s/],
  ['dead show dead --older-than long', /no age/],
  ['dead purge dead', /--yes or --dry-run/],
  ['when 5m --tz Mars/Olympus', /\[bad_option\].*time zone/],
  ['when tomorow', /\[bad_time\]/],
  ['stats --config none.ts', /--config: there is no file none\.ts/],
  ['start --config none.ts', /--config: there is no file none\.ts/],
]

test.each(wrongUses)("'%s' is wrong use, told on stderr", async (command, words) => {
  const { code, stdout, stderr } = await run(command.split(' ').filter(Boolean))
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(words)
})

test('the version is that of the package', async () => {
  const { code, stdout } = await run(['--version'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('the program runs through a link, as npm installs it', async () => {
  const directory = await project({})
  const { bin } = await import('./bin.js')
  const program = join(directory, 'redisdistro')
  await symlink(bin, program)
  const { code, stdout } = await run(['when', '5m', '--tz', 'UTC', '--json'], { program })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ kind: 'duration' })
})

test('without any project a command fails and says what to create', async () => {
  const { code, stdout, stderr } = await run(['queue', 'list'], { cwd: await project({}) })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/no redisdistro\.config\.ts[\s\S]*defineConfig/)
  expect(stderr).toContain('[bad_config]')
})

test('without Redis and redis-server a command says that the in-process store will not do', async () => {
  const cwd = await project({ '.redisdistrorc.json': '{}' })
  const { code, stdout, stderr } = await run(['queue', 'list'], { cwd, env: { PATH: cwd } })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/\[no_store\].*redis-server/)
})

test('a Redis that is away is told of with its place, at once and without a stack', async () => {
  const args = ['queue', 'list', '--redis-url', 'redis://127.0.0.1:1']
  const { code, stdout, stderr } = await run(args, {
    cwd: await project({ '.redisdistrorc.json': '{}\n' }),
  })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toBe(
    'redisdistro [store_away]: Redis at 127.0.0.1:1 is away (redis.url from command line)\n',
  )
})

test('a command that serves and sends nothing does not load what would', async () => {
  const load = `
    const { createRequire } = await import('node:module')
    await import('redisdistro')
    await import('redisdistro/plugins/email')
    const loaded = Object.keys(createRequire(process.execPath).cache).join()
    console.log(/node_modules.ioredis/.test(loaded), /node_modules.(fastify|nodemailer)/.test(loaded))`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', load],
    { cwd: dirname(dirname(dirname(dirname(bin)))) },
  )
  expect(stdout).toBe('true false\n')
})
