/** So many in so many ms. */
export interface Rate {
  readonly count: number
  /** ms. */
  readonly per: number
}

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const written = /^(\d{1,9}) ?\/ ?([smhd])$/

/** A rate such as `14/s`, `100/m`, `1000/h`; undefined for what is not understood whole, and for none. */
export function parseRate(text: string): Rate | undefined {
  const [, count = '', unit] = written.exec(text.trim()) ?? []
  if (unit === undefined || Number(count) === 0) return undefined
  return { count: Number(count), per: units[unit as keyof typeof units] }
}

/** The sentence that refuses a text which is no rate. */
export function rateMessage(text: string): string {
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
  return `${shown} is not a rate; write one such as 14/s, 100/m, 1000/h`
}
