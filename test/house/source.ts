import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** The root of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Whether a path from the root exists. */
export const exists = (path: string): boolean => existsSync(join(root, path))

/** The text of a file, by its path from the root. */
export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Every file below a folder whose name fits, as paths from the root; none where it is missing. */
export function filesBelow(folder: string, name: RegExp): string[] {
  if (!exists(folder)) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => name.test(path))
    .sort()
}

/** All that is shipped: the source files of src and plugins, plain JavaScript too. */
export const sourceFiles = (): string[] =>
  ['src', 'plugins'].flatMap((folder) => filesBelow(folder, /(?<!\.d)\.[cm]?[jt]s$/))

/** The syntax tree of a source file. */
export const parse = (path: string, text = read(path)): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)

/** Calls `visit` for a node and everything below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

/** The line of a position, from 1. */
export const lineAt = (file: ts.SourceFile, position: number): number =>
  file.getLineAndCharacterOfPosition(position).line + 1
