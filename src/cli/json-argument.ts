import type { Command } from 'commander'
import { jsonLosses } from '../client/exact-json.js'
import { isRedisDistroError } from '../core/errors.js'
import { failure } from './failure.js'

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const { text } = await import('node:stream/consumers')
  return await text(stream)
}

async function readFileText(path: string, what: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause)
    throw failure('bad_request', `the ${what}'s file cannot be read: ${words}`, cause)
  }
}

const problemOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/** What JSON says, exactly; throws where it is none, or its value would be another. */
function readJson(text: string, what: string): unknown {
  const value: unknown = JSON.parse(text)
  const [loss] = jsonLosses(text, value)
  if (loss === undefined) return value
  const { path, message } = loss
  throw failure('bad_payload', path === '' ? `the ${what} ${message}` : `${path}: ${message}`)
}

/** The JSON of an argument, which is it, `@FILE`, or `-` for stdin; `what` it is, for what is told. */
export async function readJsonArgument(
  argument: string,
  what: string,
  command: Command,
): Promise<unknown> {
  const elsewhere = argument === '-' || argument.startsWith('@')
  if (!elsewhere) {
    try {
      return readJson(argument, what)
    } catch (error) {
      if (isRedisDistroError(error)) throw error
      return command.error(`error: the ${what} is not JSON: ${problemOf(error)}`)
    }
  }
  const path = argument.slice(1)
  const text = argument === '-' ? await readAll(process.stdin) : await readFileText(path, what)
  try {
    return readJson(text.replace(/^\uFEFF/, ''), what)
  } catch (error) {
    if (isRedisDistroError(error)) throw error
    const source = argument === '-' ? 'stdin' : path
    throw failure('bad_request', `${source} is not JSON: ${problemOf(error)}`, error)
  }
}
