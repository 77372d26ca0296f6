import { execFile, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { scripts } from '../../src/cli/completion/scripts.js'
import { placesOf } from '../../src/cli/completion/tree.js'
import { makeProgram } from '../../src/cli/program.js'
import { project, run } from './bin.js'

const places = placesOf(makeProgram())
const exec = promisify(execFile)

const isThere = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0

test('the command prints the script of each shell, and no other', async () => {
  const { code, stdout } = await run(['completion', 'bash'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: scripts.bash(places) })
  const asked = await run(['completion', 'fish', '--json'])
  expect(JSON.parse(asked.stdout)).toEqual({
    shell: 'fish',
    script: scripts.fish(places),
  })
  const unknown = await run(['completion', 'csh'])
  expect(unknown).toMatchObject({ code: 2, stdout: '' })
  expect(unknown.stderr).toMatch(/bash, zsh, fish/)
})

describe('in bash', () => {
  /** What is offered for the last of the words. */
  async function offered(...words: string[]): Promise<string[]> {
    const line = ['redisdistro', ...words].map((word) => `'${word}'`).join(' ')
    const ask = `${scripts.bash(places)}
COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _redisdistro; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await exec('bash', ['--norc', '-c', ask])
    return stdout.split('\n').filter(Boolean)
  }

  test('commands, their verbs and their options are completed', async () => {
    expect(await offered('ta')).toEqual(['task'])
    expect(await offered('task', '')).toEqual(expect.arrayContaining(['list', 'show', '--json']))
    expect(await offered('task', 'li')).toEqual(['list'])
    expect(await offered('task', 'list', '--st')).toEqual(['--state'])
    expect(await offered('--json', 'task', 'list', '--qu')).toEqual(['--queue'])
  })

  test('what an option may be is completed, and nothing where it may be anything', async () => {
    expect(await offered('task', 'list', '--state', 'w')).toEqual(['waiting'])
    expect(await offered('task', 'list', '--queue', '')).toEqual([])
    expect(await offered('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']))
  })

  test('a value that reads like a command leads nowhere', async () => {
    expect(await offered('--redis-url', 'task', 'queue', 'pau')).toEqual(['pause'])
  })

  test('files are offered for --config', async () => {
    const cwd = await project({ 'other.config.ts': '' })
    expect(await offered('stats', '--config', `${cwd}/oth`)).toEqual([`${cwd}/other.config.ts`])
  })
})

describe('in other shells', () => {
  test.runIf(isThere('zsh'))('zsh reads its script', async () => {
    const file = join(await project({}), 'script')
    await writeFile(file, scripts.zsh(places))
    await exec('zsh', ['-n', file])
  })

  test.runIf(isThere('fish'))('fish reads its script', async () => {
    const file = join(await project({}), 'script')
    await writeFile(file, scripts.fish(places))
    await exec('fish', ['--no-execute', file])
  })

  test('every command and every choice is in every script', () => {
    for (const make of Object.values(scripts)) {
      const script = make(places)
      for (const { path, choices } of places) {
        for (const word of [...path.split(' '), ...choices]) expect(script).toContain(word)
      }
    }
  })
})
