// The last word of .ci/run: reads the test runner's JSON report and prints one plain line of counts.
// Arguments: the report, the exit code of the checks, the exit code of the tests.
import { readFileSync } from 'node:fs'

const [report = '', checked, tested] = process.argv.slice(2)

function counts() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return undefined
  }
}

/** Test files that failed as a whole, with no failed test of their own to be counted. */
function brokenFiles() {
  /** @type {{ status: string, assertionResults: { status: string }[] }[]} */
  const files = result?.testResults ?? []
  return files.filter(
    (file) =>
      file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'),
  ).length
}

const result = counts()
if (checked !== '0') console.log(`npm run check failed with ${checked}`)
if (tested !== '0') console.log(`npm test failed with ${tested}`)
if (result === undefined) console.log('The tests left no report: they did not come to their end.')

const passed = result?.numPassedTests ?? 0
const failed = (result?.numFailedTests ?? 0) + brokenFiles()
const skipped = (result?.numPendingTests ?? 0) + (result?.numTodoTests ?? 0)
if (result !== undefined && passed + failed === 0) console.log('No test was executed.')
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)

const good = checked === '0' && tested === '0' && result?.success === true
process.exitCode = good && passed > 0 && failed === 0 ? 0 : 1
