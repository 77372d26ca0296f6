/** How many letters must be added, left out, changed or swapped with the next to get from a to b. */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const changed = (last[j - 1] ?? 0) + (same ? 0 : 1)
      let least = Math.min(changed, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) least = Math.min(least, (before[j - 2] ?? 0) + 1)
      row[j] = least
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

/** The first of the nearest words, none further away than `reach`; undefined where none is so near. */
export function nearestWithin(
  reach: number,
  word: string,
  words: Iterable<string>,
): string | undefined {
  let best: string | undefined
  let least = reach + 1
  for (const known of words) {
    if (Math.abs(known.length - word.length) >= least) continue
    const far = distance(word.toLowerCase(), known.toLowerCase())
    if (far < least) [best, least] = [known, far]
  }
  return best
}

/** The word that was probably meant; undefined where none is near. */
export const nearest = (word: string, words: Iterable<string>): string | undefined =>
  nearestWithin(Math.max(1, Math.floor(word.length / 3)), word, words)
