import { hungryRooms, type Part, roomOf } from './weights.js'

/** A pump that takes part in what a process may run at once. */
export interface Sharer {
  readonly weight: number
  readonly most: number
  held(): number
  hungry(): boolean
  /** There is room for it now, as far as is known. */
  ask(): void
}

export interface Share {
  /** How many more tasks it may take. */
  room(): number
  /** So many are asked of Redis; counted as held until it is 0 again. */
  asks(amount: number): void
  /** It holds less than before, or wants no more: others may have room now. */
  tell(): void
  leave(): void
}

/** Slots of a process that the pumps of all its queues share by weight. */
export interface Shares {
  join(sharer: Sharer): Share
}

/** Shares `slots` among whoever joins. */
export function createShares(slots: number): Shares {
  const members: { readonly sharer: Sharer; asked: number }[] = []
  const parts = (): Part[] =>
    members.map(({ sharer, asked }) => ({
      weight: sharer.weight,
      most: sharer.most,
      held: sharer.held() + asked,
      hungry: sharer.hungry(),
    }))
  let looking = false
  const look = () => {
    looking = false
    for (const [index, room] of hungryRooms(slots, parts()).entries()) {
      if (room > 0) members[index]?.sharer.ask()
    }
  }
  // Many tasks may end in one turn of the loop: one look is enough for all of them.
  const tell = () => {
    if (!looking) setImmediate(look)
    looking = true
  }
  return {
    join(sharer) {
      const member = { sharer, asked: 0 }
      members.push(member)
      return {
        room: () => roomOf(slots, parts(), members.indexOf(member)),
        asks: (amount) => {
          member.asked = amount
        },
        tell,
        leave: () => {
          members.splice(members.indexOf(member), 1)
          tell()
        },
      }
    },
  }
}
