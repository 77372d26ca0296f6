/** @typedef {{ to: string, subject: string, body: string }} Mail */

/** Of a mail as JSON. */
const bytes = 200

/**
 * The one task of all measures: a mail of 200 bytes as JSON, each with an address of its own.
 * @param {number} index
 * @returns {Mail}
 */
export function mail(index) {
  const to = `customer-${index}@example.com`
  const subject = `Your order ${index} is on its way`
  const without = JSON.stringify({ to, subject, body: '' }).length
  return { to, subject, body: 'x'.repeat(Math.max(0, bytes - without)) }
}

/**
 * @param {number} count
 * @param {number} [from]
 */
export const mails = (count, from = 0) => Array.from({ length: count }, (_, i) => mail(from + i))
