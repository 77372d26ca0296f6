import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { read, root } from './source.js'

/** A small house, and what in each of its files breaks which rule. */
const house: Record<string, { text: string; breaks?: string[] }> = {
  'src/core/word.ts': { text: 'export type Word = string' },
  'src/core/upward.ts': {
    text: "import type { key } from '../broker/key.js'; export type Key = typeof key",
    breaks: ['floor-core'],
  },
  'src/core/reader.ts': {
    text: "export { readFileSync } from 'node:fs'",
    breaks: ['core-without-io'],
  },
  'src/core/circle.ts': {
    text: "import type { Circle } from './circle.js'; export type Round = Circle; export type { Circle as Circle }",
    breaks: ['no-cycle'],
  },
  'src/broker/key.ts': {
    text: "import { Redis } from 'ioredis'; import type { Word } from '../core/word.js'; export const key = (w: Word) => [w, Redis]",
  },
  'src/broker/aside.ts': {
    text: "export * from '../telemetry/line.js'",
    breaks: ['floor-broker'],
  },
  'src/telemetry/line.ts': { text: "import pino from 'pino'; export const line = pino()" },
  'src/client/hand.ts': { text: "export { line } from '../telemetry/line.js'" },
  'src/worker/thread.js': {
    text: "import { Redis } from 'ioredis'; console.log(Redis)",
    breaks: ['only-broker'],
  },
  'src/worker/sibling.ts': {
    text: "export const late = async () => import('../client/hand.js')",
    breaks: ['floor-worker'],
  },
  'src/services/tick.ts': { text: "export * from '../broker/key.js'", breaks: ['floor-services'] },
  'src/http/route.ts': {
    text: "import fastify from 'fastify'; export const route = fastify; export * from '../core/word.js'",
  },
  'src/kernel/serve.ts': {
    text: "export { default } from 'fastify'; export * from '../http/route.js'",
    breaks: ['only-http'],
  },
  'src/kernel/trace.ts': {
    text: "import type { Span } from '@opentelemetry/api'; export type Step = Span",
    breaks: ['only-telemetry'],
  },
  'src/cli/main.ts': {
    text: "export * from '../http/route.js'; export * from '../index.js'",
    breaks: ['floor-cli', 'doors-lead-in'],
  },
  'src/cli/lost.ts': { text: "export * from './nowhere.js'", breaks: ['resolvable'] },
  'src/cli/parse.ts': {
    text: "export { simpleParser } from 'mailparser'",
    breaks: ['no-dev-dependency'],
  },
  'src/index.ts': { text: "export { key } from './broker/key.js'" },
  'src/client.ts': {
    text: "export * from './kernel/serve.js'",
    breaks: ['client-door-is-light'],
  },
  'src/testing.ts': {
    text: "export * from './broker/key.js'",
    breaks: ['testing-door-needs-no-redis'],
  },
  'plugins/guest/index.ts': { text: "export { key } from 'redisdistro'; export * from './own.js'" },
  'plugins/guest/own.ts': { text: 'export const own = 1' },
  'plugins/burglar/index.ts': {
    text: "export * from '../../src/core/word.js'; export * from '../guest/own.js'",
    breaks: ['plugins-are-guests', 'plugins-knock'],
  },
}

/** Builds a tree of files outside the repository; gone when the test is over. */
function build(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'redisdistro-floors-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), `${text}\n`)
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

const check = (folder: string) => {
  const script = join(root, 'scripts/check-floors.mjs')
  const { status, stderr } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' })
  return { status, stderr }
}

const ground = {
  'package.json': read('package.json'),
  'tsconfig.json': read('tsconfig.json'),
  'dist/src/index.d.ts': 'export declare const key: unknown',
  'dist/src/index.js': 'export const key = 1',
}

test('every rule of the floors catches what breaks it, and nothing else', () => {
  const files = Object.entries(house).map(([path, { text }]) => [path, text])
  const { status, stderr } = check(build({ ...ground, ...Object.fromEntries(files) }))
  const found = [...stderr.matchAll(/^([\w-]+): (\S+) → /gm)].map(
    ([, rule, path]) => `${path} ${rule}`,
  )
  const wanted = Object.entries(house).flatMap(([path, { breaks = [] }]) =>
    breaks.map((rule) => `${path} ${rule}`),
  )
  expect([...new Set(found)].sort()).toEqual(wanted.sort())
  expect(status).toBe(1)
})

test('a source file that the tool passes over is no pass', () => {
  const unseen = 'src/node_modules/hidden.ts'
  const files = { 'src/word.ts': 'export const word = 1', [unseen]: 'export const hidden = 1' }
  const { status, stderr } = check(build({ ...ground, ...files, 'plugins/none.txt': '' }))
  expect(stderr).toContain(`1 were not looked at`)
  expect(stderr).toContain(unseen)
  expect(status).toBe(1)
})
