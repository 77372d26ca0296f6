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

/** By weight, but none less than one: those that are raised to it leave less to the others. */
function byWeight(slots: number, weights: readonly number[]): number[] {
  const raised = new Set<number>()
  for (;;) {
    const rest = slots - raised.size
    const total = sumOf(weights.filter((_, i) => !raised.has(i)))
    const shares = weights.map((weight, i) => (raised.has(i) ? 1 : (rest * weight) / total))
    const small = shares.findIndex((share, i) => share < 1 && !raised.has(i))
    if (small < 0) return shares
    raised.add(small)
  }
}

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
 * goes to the others.
 */
export function allot(slots: number, claims: readonly Claim[]): number[] {
  const sated = new Set<number>()
  for (;;) {
    const open = claims.map((_, i) => i).filter((i) => !sated.has(i))
    const rest = slots - sumOf([...sated].map((i) => claims[i]?.most ?? 0))
    const shares = byWeight(
      rest,
      open.map((i) => claims[i]?.weight ?? 1),
    )
    const over = open.filter((i, at) => (claims[i]?.most ?? 0) < (shares[at] ?? 0))
    for (const i of over) sated.add(i)
    if (over.length > 0) continue
    const rounded = whole(shares, rest)
    return claims.map(({ most }, i) => (sated.has(i) ? most : (rounded[open.indexOf(i)] ?? 1)))
  }
}

/**
 * How many more tasks the part at `index` may take out of `slots`. Parts that want nothing lend what
 * they have beyond one, which is kept for them; what is lent comes back as its tasks end. A part that
 * has nothing may always take one.
 */
export function roomOf(slots: number, parts: readonly Part[], index: number): number {
  const own = parts[index]
  if (own === undefined) return 0
  const isOpen = (part: Part, i: number) => i === index || part.hungry
  const kept = ({ held }: Part) => Math.max(1, held)
  const open = parts.filter(isOpen)
  const lent = sumOf(parts.filter((part, i) => !isOpen(part, i)).map(kept))
  const share = allot(slots - lent, open)[open.indexOf(own)] ?? 1
  const free = slots - sumOf(parts.filter((_, i) => i !== index).map(kept)) - own.held
  const room = Math.max(0, Math.min(share - own.held, free))
  return own.held === 0 ? Math.max(1, room) : room
}
