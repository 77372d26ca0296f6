import { isIP, isIPv4 } from 'node:net'
import { z } from 'zod'

/** Ranges that have a name: those of the machine itself, of a link, of a private network. */
const named = ['loopback', 'linklocal', 'uniquelocal']

/** Whether the part behind an address's slash is a length of 1 to `longest` bits, or a mask of such. */
function isRange(range: string, longest: number): boolean {
  if (/^\d{1,3}$/.test(range)) return Number(range) >= 1 && Number(range) <= longest
  if (longest !== 32 || !isIPv4(range)) return false
  const bits = range.split('.').map((part) => Number(part).toString(2).padStart(8, '0'))
  return /^1+0*$/.test(bits.join(''))
}

function isAddress(text: string): boolean {
  if (named.includes(text)) return true
  const [address = '', ...ranges] = text.split('/')
  const family = isIP(address)
  if (family === 0 || address.includes('%') || ranges.length > 1) return false
  return ranges.every((range) => isRange(range, family === 4 ? 32 : 128))
}

const rule =
  "must be true, false, or addresses such as '10.0.0.7', '10.0.0.0/8', 'fc00::/7' or 'loopback'"

/** The config's key `http.trustProxy`; a text may name several by comma. */
export const trustedProxies = z.union(
  [
    z.boolean(),
    z.string().refine((text) => text.split(',').every((part) => isAddress(part.trim())), rule),
    z.array(z.string().refine(isAddress, rule)),
  ],
  rule,
)
