import type { Command } from 'commander'
import { describe, expect, test, vi } from 'vitest'
import { settleFailure } from '../../src/cli/failure.js'
import { makeProgram } from '../../src/cli/program.js'

/** Every command of the tree by the words that lead to it, the program first. */
function pathsOf(command: Command, path: readonly string[] = []): string[][] {
  const below = command.commands.flatMap((each) => pathsOf(each, [...path, each.name()]))
  return [[...path], ...below]
}

const every = pathsOf(makeProgram())

/** The command at a path of a program. */
function commandAt(program: Command, path: readonly string[]): Command {
  return path.reduce((above, name) => {
    const found = above.commands.find((command) => command.name() === name)
    if (found === undefined) throw new Error(`no command ${path.join(' ')}`)
    return found
  }, program)
}

const isGroup = (path: readonly string[]) => commandAt(makeProgram(), path).commands.length > 0

/** Runs a command line here, where it ends before its action: what it prints, and its exit code. */
async function run(words: readonly string[]) {
  const program = makeProgram()
  const [out, err]: [string[], string[]] = [[], []]
  const say = {
    writeOut: (text: string) => void out.push(text),
    writeErr: (text: string) => void err.push(text),
    getOutHelpWidth: () => 80,
  }
  for (const path of every) commandAt(program, path).configureOutput(say)
  const code = await program.parseAsync([...words], { from: 'user' }).then(() => 0, settleFailure)
  return { code, stdout: out.join(''), stderr: err.join('') }
}

describe.each(every.map((path) => [path.join(' ') || 'the program', path] as const))(
  '%s',
  (_, path) => {
    const group = isGroup(path)

    test('says what it does, and how it is called', async () => {
      expect(commandAt(makeProgram(), path).description()).toMatch(/^\S.*\S$/)
      const { code, stdout, stderr } = await run([...path, '--help'])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const usage = ['Usage: redisdistro', ...path].join(' ')
      expect(stdout.split('\n')[0]).toContain(usage)
      for (const option of ['--config <path>', '--json', '--redis-url <url>', '--help']) {
        expect(stdout).toContain(option)
      }
      expect(stdout).toMatch(/Exit codes:\n +0 +done\n +1 +failed.*\n +2 +wrong use/)
      const name = ['redisdistro', ...path].join(' ')
      if (!group) expect(stdout.split('\nExamples:\n')[1] ?? '').toContain(name)
      const wide = stdout
        .split('\n')
        .filter((line) => line.length > 80 && !/^ {2}\S*redis/.test(line))
      expect(wide).toEqual([])
    })

    test('an option that it does not have is wrong use, and the nearest is named', async () => {
      const { code, stdout, stderr } = await run([...path, '--jsno'])
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/^redisdistro: unknown option '--jsno'\n\(Did you mean --json\?\)/)
    })

    test('words that it does not take are wrong use', async () => {
      const many = ['one', 'two', 'three', 'four']
      const { code, stdout, stderr } = await run([...path, ...many])
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(
        group
          ? /^redisdistro: unknown command 'one'/
          : /^redisdistro: .*(too many arguments|invalid)/,
      )
    })

    test.runIf(group)('a command that is misspelt is told with the nearest one', async () => {
      const name = commandAt(makeProgram(), path).commands[0]?.name() ?? ''
      const { code, stderr } = await run([...path, `${name}x`])
      expect(code).toBe(2)
      expect(stderr).toContain(`(Did you mean ${name}?)`)
    })
  },
)

test('the walk finds the commands, and what fails is told by its code', () => {
  expect(every.map((path) => path.join(' '))).toEqual(
    expect.arrayContaining(['', 'start', 'task', 'task list', 'doctor', 'completion']),
  )
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    expect(settleFailure(new Error('no'))).toBe(1)
    expect(write).toHaveBeenCalledWith('redisdistro: no\n')
  } finally {
    write.mockRestore()
  }
})
