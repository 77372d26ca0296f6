import { z } from 'zod'

/** A mailbox as it is put into a message, never parsed again on the way. */
export interface Mailbox {
  readonly name: string
  readonly address: string
}

/**
 * One plain mail address. Names, groups, lists and encoded words are refused: what a mail library
 * would parse once more may turn one recipient into several.
 */
export const addressSchema = z
  .email('must be one plain mail address such as a@example.com')
  .max(254)
  .describe('One plain mail address.')

/**
 * Text of one line: no control character, no line separator, nothing that turns the direction of
 * what follows or marks one, no byte order mark, no half of a character, and no encoded word, which a reader would decode into any of
 * these. Needs no regular expression flag, so that it means the same in JSON Schema.
 */
export const linePattern =
  /^(?!.*=\?[^?\s]+\?[bBqQ]\?)([ -~\u00a0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\uffff]|[\ud800-\udbff][\udc00-\udfff])*$/

// The name has none of the characters that mean something in an address header.
const namedPattern = /^([^"(),:;<>@[\\\]]{1,128}) <([^<>]+)>$/

/** Splits `a@example.com` or `Name <a@example.com>`; undefined for anything else. */
export function parseSender(text: string): Mailbox | undefined {
  if (!linePattern.test(text) || text.includes('=?')) return undefined
  const [, name = '', address = text] = namedPattern.exec(text) ?? []
  // Mail on a developer's machine has no other domain than this one.
  const known = address.replace(/@localhost$/, '@localhost.localdomain')
  return addressSchema.safeParse(known).success ? { name: name.trim(), address } : undefined
}

/** What a sender must be, in words. */
export const senderRule = 'must be an address such as a@example.com or Name <a@example.com>'

/** Whom a mail is from: `noreply@example.com` or `Name <noreply@example.com>`. */
export const senderSchema = z
  .string()
  .max(400)
  .refine((text) => parseSender(text) !== undefined, senderRule)
  .describe('Whom the mail is from: a@example.com or Name <a@example.com>.')

/** The part of an address after its `@`. */
export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1)
