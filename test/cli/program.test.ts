import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { project, run } from './bin.js'

const commands = [
  '',
  'start',
  'enqueue',
  ...['list', 'show', 'cancel', 'requeue', 'promote'].map((verb) => `task ${verb}`),
  ...['list', 'show', 'pause', 'resume'].map((verb) => `queue ${verb}`),
  ...['list', 'show', 'requeue', 'purge'].map((verb) => `dead ${verb}`),
  'worker list',
  'stats',
  'config print',
  'when',
]

test.each(commands)("'%s --help' prints its usage and the common options", async (command) => {
  const { code, stdout, stderr } = await run([...command.split(' ').filter(Boolean), '--help'])
  expect(code).toBe(0)
  expect(stderr).toBe('')
  const [usage] = stdout.split('\n')
  expect(usage).toContain(`Usage: redisdistro ${command}`.trimEnd())
  for (const option of ['--config <path>', '--json', '--help']) expect(stdout).toContain(option)
})

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
  ['enqueue email {} --priority urgent', /low, normal, high, critical/],
  ['enqueue email {} --attempts many', /whole number/],
  ['dead purge dead', /--yes/],
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
