#!/usr/bin/env node
import { learnVariables } from '../core/secrets.js'
import { endUncaught, exitCodes, settleFailure } from './failure.js'
import { makeProgram } from './program.js'

/** Settles when what was printed has left this process; a reader that has gone needs nothing. */
const written = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })

async function main(): Promise<void> {
  learnVariables(process.env)
  process.on('uncaughtException', endUncaught)
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  try {
    await makeProgram().parseAsync()
  } catch (error) {
    process.exitCode = settleFailure(error)
  }
  await Promise.all([written(process.stdout), written(process.stderr)])
  // A timer that a user's config or plugin left would keep a finished command from ending.
  process.exit(process.exitCode ?? exitCodes.done)
}

await main()
