import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pageText, starterText } from './page-text.js'

/** A file of the page, with its media type. */
export interface PageFile {
  readonly type: string
  readonly content: string | Buffer
}

const media = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  png: 'image/png',
} as const

/** Files of swagger-ui that the page needs; nothing else of its folder is given out. */
const taken = {
  'swagger-ui.css': media.css,
  'swagger-ui-bundle.js': media.js,
  'favicon-32x32.png': media.png,
} as const

const require = createRequire(import.meta.url)
const folder = join(dirname(require.resolve('@fastify/swagger-ui/package.json')), 'static')

/** The page itself. */
export const page: PageFile = { type: media.html, content: pageText }

/** A file that the page asks for; undefined where it asks for none of that name. */
export async function pageFile(name: string): Promise<PageFile | undefined> {
  if (name === 'start.js') return { type: media.js, content: starterText }
  if (!Object.hasOwn(taken, name)) return undefined
  return {
    type: taken[name as keyof typeof taken],
    content: await readFile(join(folder, name)),
  }
}
