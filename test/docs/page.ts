import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createJiti } from 'jiti'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A fenced block of a page. */
export interface Fence {
  readonly language: string
  readonly text: string
  /** The file that its first line names, as in `// plugins/greet.ts`. */
  readonly path: string | undefined
}

/** The fenced blocks of a page, by its path from the root. */
export function fencesOf(page: string): Fence[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', body = '']) => ({
    language,
    text: body,
    path: /^\/\/ (\S+\.ts)\n/.exec(body)?.[1],
  }))
}

/** The TypeScript files that a page shows, as a project's files. */
export function filesOf(page: string): Record<string, string> {
  const files = fencesOf(page).flatMap(({ path, text }) => (path ? [[path, text]] : []))
  return Object.fromEntries(files) as Record<string, string>
}

/** Runs a file outside the repository, with the product's doors as a user's project has them. */
export async function runFile(file: string): Promise<unknown> {
  const virtualModules = {
    redisdistro: await import('redisdistro'),
    'redisdistro/client': await import('redisdistro/client'),
    'redisdistro/testing': await import('redisdistro/testing'),
    zod: await import('zod'),
  }
  return createJiti(file, { fsCache: false, moduleCache: false, virtualModules }).import(file)
}
