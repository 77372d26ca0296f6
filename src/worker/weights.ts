/** One queue's part in what a process may run at once. */
export interface Part {
  readonly weight: number
  /** What it may run at once by itself. */
  readonly most: number
  /** Tasks that it has, or has asked for. */
  readonly held: number
  /** True where it would take more. */
  readonly hungry: boolean
}

type Claim = Pick<Part, 'weight' | 'most'>

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0)

/** Whole numbers of the same sum, rounded down at least; where more was cut off, up first. */
function whole(shares: readonly number[], slots: number): number[] {
  const rounded = shares.map(Math.floor)
  const order = shares.map((share, i) => ({ i, cut: share - Math.floor(share) }))
  order.sort((a, b) => b.cut - a.cut)
  const rest = slots - sumOf(rounded)
  for (const { i } of order.slice(0, Math.max(0, rest))) rounded[i] = (rounded[i] ?? 0) + 1
  return rounded
}

/**
 * Slots over claims by weight: each gets one at least and its most at most, and what one cannot use
 * goes to the others. What a claim gets grows with one level for all: from one at `1 / weight` to its
 * most at `most / weight`. Between two such steps it is plain who has one, who has its most, and that
 * all others get by weight what is left.
 */
export function allot(slots: number, claims: readonly Claim[]): number[] {
  const steps = Float64Array.from(claims.flatMap(({ weight, most }) => [1 / weight, most / weight]))
  steps.sort()
  const above = firstWhere(steps.length, (step) => sumAt(steps[step] ?? 0, claims) > slots)
  const from = steps[above - 1] ?? Number.NEGATIVE_INFINITY
  const to = steps[above] ?? Number.POSITIVE_INFINITY
  const given = claims.map(({ weight, most }) =>
    most / weight <= from ? most : 1 / weight >= to ? 1 : undefined,
  )
  const rest = slots - sumOf(given.map((amount) => amount ?? 0))
  const open = claims.filter((_, i) => given[i] === undefined).map(({ weight }) => weight)
  const total = sumOf(open)
  const byWeight = whole(
    open.map((weight) => (rest * weight) / total),
    rest,
  )
  let next = 0
  return given.map((amount) => amount ?? byWeight[next++] ?? 1)
}

/** What all have at a level. */
function sumAt(level: number, claims: readonly Claim[]): number {
  let sum = 0
  for (const { weight, most } of claims) sum += Math.min(most, Math.max(1, weight * level))
  return sum
}

/** The first of `length` numbers of which it is true, where it is true of all behind it. */
function firstWhere(length: number, isTrue: (n: number) => boolean): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isTrue(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** One is kept for whoever has nothing. */
const kept = ({ held }: Part): number => Math.max(1, held)

/**
 * How many more tasks each part that is `open` may take out of `slots`. The others lend what they have
 * beyond one, which is kept for them; what is lent comes back as its tasks end. A part that has
 * nothing may always take one.
 */
function rooms(
  slots: number,
  parts: readonly Part[],
  open: (part: Part, index: number) => boolean,
): number[] {
  let free = slots
  let shared = slots
  const claims: Part[] = []
  for (const [index, part] of parts.entries()) {
    free -= kept(part)
    if (open(part, index)) claims.push(part)
    else shared -= kept(part)
  }
  // Where nothing is free, nothing needs to be shared.
  const shares = free > 0 ? allot(shared, claims) : []
  let next = 0
  return parts.map((part, index) => {
    if (!open(part, index)) return 0
    const share = shares[next++] ?? part.held
    const room = Math.max(0, Math.min(share - part.held, free + kept(part) - part.held))
    return part.held === 0 ? Math.max(1, room) : room
  })
}

/** How many more tasks the part at `index` may take out of `slots`, as if it wanted some. */
export const roomOf = (slots: number, parts: readonly Part[], index: number): number =>
  rooms(slots, parts, (part, i) => i === index || part.hungry)[index] ?? 0

/** The same of all that are hungry; 0 of the others. */
export const hungryRooms = (slots: number, parts: readonly Part[]): number[] =>
  rooms(slots, parts, ({ hungry }) => hungry)
