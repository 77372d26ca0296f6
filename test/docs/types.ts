import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Where a page's files seem to lie: below the root, so that packages are found. */
const seeming = join(root, 'test/docs/shown')

/** The product's doors, from their source: a page is held to the code as it is now. */
const doors = {
  redisdistro: ['src/index.ts'],
  'redisdistro/client': ['src/client.ts'],
  'redisdistro/testing': ['src/testing.ts'],
  'redisdistro/plugins/email': ['plugins/email/index.ts'],
}

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
  noEmit: true,
  allowJs: true,
  paths: Object.fromEntries(
    Object.entries(doors).map(([name, [path = '']]) => [name, [join(root, path)]]),
  ),
}

/** What is wrong with a page's TypeScript files as a user's compiler would say it. */
export function typeErrors(files: Record<string, string>): string[] {
  const shown = new Map(Object.entries(files).map(([path, text]) => [join(seeming, path), text]))
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists, directoryExists } = host
  host.readFile = (path) => shown.get(path) ?? readFile(path)
  host.fileExists = (path) => shown.has(path) || fileExists(path)
  const folders = new Set([...shown.keys()].map(dirname))
  host.directoryExists = (path) => folders.has(path) || directoryExists?.(path) === true
  const program = ts.createProgram({ rootNames: [...shown.keys()], options, host })
  return [...shown.keys()].flatMap((path) => {
    const source = program.getSourceFile(path)
    const found = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ]
    return found.map(({ messageText }) => {
      return `${path.slice(seeming.length + 1)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
  })
}
