import type { Redis } from 'ioredis'
import type { Rights } from './facts.js'

/** Commands of scripts with arguments behind the key by which nothing is written. */
const reads: Readonly<Record<string, string>> = {
  exists: '',
  type: '',
  persist: '',
  pexpire: '1',
  set: 'v XX',
  hget: 'f',
  hmget: 'f',
  hgetall: '',
  hset: 'f v odd',
  hdel: 'f',
  hexists: 'f',
  hlen: '',
  hincrby: 'f none',
  hscan: '0',
  srem: 'm',
  smembers: '',
  zadd: 'NX XX 1 m',
  zrem: 'm',
  zscore: 'm',
  zcard: '',
  zcount: '0 0',
  zrange: '0 0',
  zrevrange: '0 0',
  zrangebyscore: '0 0',
  zrank: 'm',
  zrevrank: 'm',
  zpopmin: '',
  xadd: 'NOMKSTREAM * f v',
  xrange: '- +',
  xrevrange: '+ -',
  del: '',
}

/** Those that cannot be tried without writing: only where what they leave can be deleted. */
const writes: Readonly<Record<string, string>> = { hsetnx: 'f v', sadd: 'm', lpush: 'm', del: '' }

/** Commands outside of scripts, as they are tried. */
const alone: Readonly<Record<string, (node: Redis, key: string) => Promise<unknown>>> = {
  hello: (node) => node.call('HELLO'),
  select: (node) => node.call('SELECT', node.options.db ?? 0),
  info: (node) => node.call('INFO', 'server'),
  ping: (node) => node.call('PING'),
  time: (node) => node.call('TIME'),
  'client|setname': (node) => node.call('CLIENT', 'SETNAME', 'redisdistro-doctor'),
  evalsha: (node) => node.call('EVALSHA', '0'.repeat(40), 0),
  eval: (node) => node.call('EVAL', 'return 1', 0),
  xread: (node, key) => node.call('XREAD', 'COUNT', 1, 'STREAMS', key, '0'),
  blpop: (node, key) => node.call('BLPOP', key, '0.01'),
}

/** All that a user must be allowed, as ACL rules write it; docs/redis.md lists the same. */
export const neededCommands: readonly string[] = [
  ...new Set([alone, reads, writes].flatMap((table) => Object.keys(table))),
]

// The key is one that no queue can have, and is gone when the script ends.
const script = `
local refused = {}
for _, line in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(line, '%S+') do words[#words + 1] = word end
  table.insert(words, 2, KEYS[1])
  local answer = redis.pcall(unpack(words))
  if type(answer) == 'table' and answer.err then
    refused[#refused + 1] = words[1] .. ' ' .. answer.err
  end
end
return refused`

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const isRefusal = (words: string): boolean =>
  /NOPERM|ACL failure|user executing the script can't/i.test(words)
const isOfKeys = (words: string): boolean => isRefusal(words) && /\bkeys?\b/i.test(words)

const linesOf = (table: Readonly<Record<string, string>>): string[] =>
  Object.entries(table).map(([name, rest]) => `${name} ${rest}`)

async function tryInScript(
  node: Redis,
  key: string,
  table: Readonly<Record<string, string>>,
): Promise<{ readonly name: string; readonly words: string }[]> {
  const answers = (await node.call('EVAL', script, 1, key, ...linesOf(table))) as string[]
  return answers.flatMap((answer) => {
    const [name = '', ...words] = answer.split(' ')
    return isRefusal(words.join(' ')) ? [{ name, words: words.join(' ') }] : []
  })
}

/** A key of the prefix whose slot this node serves; undefined where none is found. */
async function keyOn(node: Redis, prefix: string): Promise<string | undefined> {
  for (let n = 0; n < 64; n++) {
    const key = `${prefix}:doctor-${n}`
    try {
      await node.call('EVAL', 'return 1', 1, key)
      return key
    } catch (error) {
      if (!/^(MOVED|ASK) /.test(wordsOf(error))) throw error
    }
  }
  return undefined
}

/** Whether a call is refused to the user; what fails otherwise is allowed. */
async function isRefused(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return false
  } catch (error) {
    return isRefusal(wordsOf(error)) && !isOfKeys(wordsOf(error))
  }
}

async function userOf(node: Redis): Promise<string | undefined> {
  try {
    return String(await node.call('ACL', 'WHOAMI'))
  } catch {
    return node.options.username ?? undefined
  }
}

async function refusedInScripts(
  node: Redis,
  prefix: string,
): Promise<Pick<Rights, 'refused' | 'noKeys'>> {
  try {
    const key = await keyOn(node, prefix)
    if (key === undefined) return { refused: [], noKeys: false }
    const found = await tryInScript(node, key, reads)
    const deletes = found.every(({ name }) => name !== 'del')
    if (deletes) found.push(...(await tryInScript(node, key, writes)))
    const refused = found.filter(({ words }) => !isOfKeys(words)).map(({ name }) => name)
    return { refused, noKeys: found.some(({ words }) => isOfKeys(words)) }
  } catch (error) {
    return { refused: [], noKeys: isOfKeys(wordsOf(error)) }
  }
}

/** Tries every command that the product sends, on a key of the prefix that nobody else uses. */
export async function tryRights(node: Redis, prefix: string): Promise<Rights> {
  const refused: string[] = []
  for (const [name, call] of Object.entries(alone)) {
    if (await isRefused(call(node, `${prefix}:doctor-0`))) refused.push(name)
  }
  const inScripts = await refusedInScripts(node, prefix)
  return {
    user: await userOf(node),
    refused: [...new Set([...refused, ...inScripts.refused])],
    noKeys: inScripts.noKeys,
  }
}
