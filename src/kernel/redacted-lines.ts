import { redact } from '../core/secrets.js'

/** A line that is longer is handed on in parts. */
const longest = 65_536

/** Text that comes in chunks, handed on without known secrets. */
export interface RedactedLines {
  take(chunk: string): void
  /** Hands on what has no line break yet. */
  end(): void
}

/** Hands text on by whole lines, so that no secret is halved by the end of a chunk. */
export function redactedLines(handOn: (text: string) => void): RedactedLines {
  let rest = ''
  const say = (text: string) => {
    if (text !== '') handOn(redact(text))
  }
  return {
    take(chunk) {
      const text = rest + chunk
      const end = text.length > longest ? text.length : text.lastIndexOf('\n') + 1
      rest = text.slice(end)
      say(text.slice(0, end))
    },
    end() {
      say(rest)
      rest = ''
    },
  }
}
