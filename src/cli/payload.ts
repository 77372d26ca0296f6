import type { Command } from 'commander'
import { jsonLosses } from '../client/exact-json.js'
import { isRedisDistroError } from '../core/errors.js'
import { failure } from './failure.js'

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const { text } = await import('node:stream/consumers')
  return await text(stream)
}

async function readFileText(path: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause)
    throw failure('bad_request', `the payload's file cannot be read: ${words}`, cause)
  }
}

const problemOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/** What JSON says, exactly; throws where it is none, or its value would be another. */
function readJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  const [loss] = jsonLosses(text, value)
  if (loss === undefined) return value
  const { path, message } = loss
  throw failure('bad_payload', path === '' ? `the payload ${message}` : `${path}: ${message}`)
}

/** The payload of the argument: JSON, `@FILE`, or `-` for stdin; an empty object where left out. */
export async function readPayload(
  argument: string | undefined,
  command: Command,
): Promise<unknown> {
  if (argument === undefined) return {}
  const elsewhere = argument === '-' || argument.startsWith('@')
  if (!elsewhere) {
    try {
      return readJson(argument)
    } catch (error) {
      if (isRedisDistroError(error)) throw error
      return command.error(`error: the payload is not JSON: ${problemOf(error)}`)
    }
  }
  const path = argument.slice(1)
  const text = argument === '-' ? await readAll(process.stdin) : await readFileText(path)
  try {
    return readJson(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    if (isRedisDistroError(error)) throw error
    const source = argument === '-' ? 'stdin' : path
    throw failure('bad_request', `${source} is not JSON: ${problemOf(error)}`, error)
  }
}
