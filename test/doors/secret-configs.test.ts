import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeFailure } from '../../src/cli/failure.js'
import { createKernel } from '../../src/kernel/kernel.js'
import { silentLog } from '../../src/telemetry/log.js'
import { failureOf, project } from '../kernel/project.js'
import { word } from './secrets-stage.js'

/** What a command says of a project that cannot be used; SECRET is a word that nobody knows yet. */
async function refusal(files: Record<string, string>, env: Record<string, string> = {}) {
  const secret = word('secret')
  const put = (text: string) => text.replaceAll('SECRET', secret)
  const directory = await project({})
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(directory, name), put(text))
  }
  const variables = Object.fromEntries(Object.entries(env).map(([name, text]) => [name, put(text)]))
  const boot = async () => {
    const kernel = await createKernel(undefined, { directory, env: variables, log: silentLog })
    await kernel.start({ roles: ['producer'] })
  }
  return { said: describeFailure(await failureOf(boot())), secret }
}

test.each([
  ['an unknown key', "{ redis: { pasword: 1, urll: 'redis://:SECRET@h' } }", 'redis.urll'],
  ['a token under a wrong name', "{ http: { token: 'SECRET' } }", 'http.token'],
  ['a token of a wrong kind', "{ http: { tokens: { api: [{ is: 'SECRET' }] } } }", 'tokens.api.0'],
  ['a list for an object', "{ redis: ['redis://:SECRET@h'] }", 'redis: '],
  ['a text for an object', "{ redis: 'redis://:SECRET@h' }", 'redis: '],
  ['a URL of another kind', "{ redis: { url: 'http://:SECRET@h' } }", 'redis.url'],
  ['no URL at all', "{ redis: { url: 'SECRET' } }", 'redis.url'],
  ['a secret in a list', "{ plugins: [{ password: 'SECRET' }] }", 'plugins.0'],
  ['options of a plugin', "{ plugins: [['./gone.ts', { password: 'SECRET' }]] }", './gone.ts'],
  ['a syntax error beside it', "{ http: { tokens: { api: ['SECRET' 'x'] } } }", 'syntax error'],
  ['a syntax error on its line', "{ redis: { url: 'redis://:SECRET@h' port: 1 } }", 'syntax error'],
  ['a text without an end', "{ http: { tokens: { api: 'SECRET } } }", 'syntax error'],
  ['a list that never ends', "{ plugins: [\n 'SECRET' 'x' ] }", 'syntax error'],
])('%s in the config is refused without its value', async (_, config, words) => {
  const { said, secret } = await refusal({ 'redisdistro.config.ts': `export default ${config}\n` })
  expect(said).toContain('redisdistro [bad_config]')
  expect(said).toContain(words)
  expect(said).not.toContain(secret)
})

test.each([
  ['.redisdistrorc.json', '{ "http": { "tokens": { "api": "SECRET" } ', 'it is not JSON'],
  [
    '.redisdistrorc.json',
    '{ "http":\n { "tokens": { "api": SECRET, "read": ["a", "b"] } } }',
    ':2:23: it is not JSON',
  ],
  ['.redisdistrorc.yaml', 'http:\n  tokens:\n    api: "SECRET\n  x: [', 'it is not YAML'],
  ['.redisdistrorc.yaml', 'http:\n  tokens:\n    api: *SECRET\n', ':3:'],
  ['.redisdistrorc', 'http: { tokens: { api: SECRET: x } }', 'it is not YAML'],
  ['package.json', '{ "redisdistro": { "redis": "SECRET }', 'it is not JSON'],
])('%s that is broken is told by its place: %s', async (file, content, words) => {
  const { said, secret } = await refusal({ [file]: content })
  expect(said).toContain(file)
  expect(said).toContain(words)
  expect(said).not.toContain(secret)
})

const withMail = {
  'redisdistro.config.ts': "export default { plugins: ['redisdistro/plugins/email'] }",
}

test.each([
  ['REDIS_URL', 'http://app:SECRET@h'],
  ['REDIS_URL', 'SECRET'],
  ['REDIS_URL', 'redis://app:SECRET/@h:port'],
  ['PORT', 'redis://app:SECRET@h'],
  ['QUEUE_KEY', 'https://app:SECRET@h'],
])('%s=%s is refused without the secret', async (name, value) => {
  const { said, secret } = await refusal(withMail, { [name]: value })
  expect(said).toContain(name)
  expect(said).not.toContain(secret)
})

test('what the config itself throws is told without the variables that it knows', async () => {
  const secret = word('dotenv')
  const directory = await project({
    '.env': `SOME_API_KEY=${secret}\n`,
    'redisdistro.config.ts': "throw new Error('not with ' + process.env.SOME_API_KEY)\n",
  })
  const said = describeFailure(await failureOf(createKernel(undefined, { directory })))
  delete process.env['SOME_API_KEY']
  expect(said).toContain('not with [redacted]')
})
