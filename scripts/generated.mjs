// What the generators of docs share: write a page, or with `--check` compare it and fail.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * True where the script of this address is the one that node was started with.
 * @param {string} url
 */
export const isMain = (url) => pathToFileURL(process.argv[1] ?? '').href === url

/**
 * Imports a module of the last build.
 * @param {string} path under dist, such as `src/core/state.js`
 * @returns {Promise<any>}
 */
export const built = (path) => import(new URL(`../dist/${path}`, import.meta.url).href)

/**
 * Writes `text` to the page, or with `--check` among the arguments exits 1 where they differ.
 * @param {string} page path from the root
 * @param {string} text
 */
export function writeOrCheck(page, text) {
  const file = fileURLToPath(new URL(`../${page}`, import.meta.url))
  if (!process.argv.includes('--check')) return writeFileSync(file, text)
  if (text === read(file)) return
  console.error(`${page} is not what the source says: run \`npm run docs\`.`)
  process.exit(1)
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
