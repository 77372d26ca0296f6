import { spawn } from 'node:child_process'

/**
 * Ends `child` when this process is gone, however it goes (kill -9 too): a small shell reads
 * from a pipe that only this process holds open, and at its end sends SIGTERM, on which
 * redis-server writes out its file. Node has no call that asks the kernel for this.
 * @param {import('node:child_process').ChildProcess} child a running process
 */
export function endWithThisProcess(child) {
  if (child.pid === undefined) return
  const guard = spawn('/bin/sh', ['-c', 'read _; kill "$1" 2>/dev/null', 'sh', `${child.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A session of its own: what is sent to our process group must not take the guard first.
    detached: true,
  })
  // Without a shell there is no guard; the next start then finds the left-over server itself.
  guard.on('error', () => undefined)
  guard.unref()
  const pipe = /** @type {import('node:net').Socket | null} */ (guard.stdin)
  pipe?.on('error', () => undefined)
  pipe?.unref()
  // Once the child is gone its pid may become another's.
  child.once('exit', () => guard.kill('SIGKILL'))
}
