import { z } from 'zod'
import { addressSchema, linePattern, senderSchema } from './address.js'
import type { EmailOptions } from './options.js'

/** The bounds of one mail; attachments are counted decoded, in bytes. */
export type MailLimits = Pick<
  EmailOptions,
  'maxRecipients' | 'maxBodyBytes' | 'maxAttachments' | 'maxAttachmentBytes'
>

const line = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(linePattern, 'must be one line without control characters or encoded words')

const isBase64 = (text: string) => Buffer.from(text, 'base64').toString('base64') === text

// By content only: a path or a URL would have the worker read what the sender may not.
const attachmentSchema = z
  .strictObject({
    filename: line(255)
      .min(1)
      .regex(/^[^/\\]*$/, 'must be a name without folders'),
    content: z.string().describe('The content itself, as text or as base64.'),
    encoding: z.enum(['utf8', 'base64']).optional().describe("How `content` is written; 'utf8'."),
    contentType: line(255)
      .regex(
        /^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+(; ?[A-Za-z0-9-]+=[A-Za-z0-9._+-]+)*$/,
        'must be a media type such as application/pdf',
      )
      // A part of these types has parts of its own, which are not this plugin's to write.
      .refine((type) => !/^(multipart|message)\//i.test(type), 'must not be multipart or message')
      .optional()
      .describe('Media type; by the file name if left out.'),
  })
  .refine(({ content, encoding }) => encoding !== 'base64' || isBase64(content), {
    path: ['content'],
    error: 'must be base64 with padding and without line breaks',
  })

/** The addresses of one recipient field as a list. */
export const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value

const sizeOf = (attachments: readonly z.output<typeof attachmentSchema>[]) =>
  attachments.reduce(
    (sum, { content, encoding }) => sum + Buffer.byteLength(content, encoding ?? 'utf8'),
    0,
  )

/** Builds the payload's schema for the given bounds; strict, without transforms. */
export function payloadSchema(limits: MailLimits) {
  const { maxRecipients, maxBodyBytes, maxAttachments, maxAttachmentBytes } = limits
  const list = z.array(addressSchema).max(maxRecipients)
  const rule = `must be one plain mail address or a list of at most ${maxRecipients}`
  const required = z.union([addressSchema, list.min(1)], rule)
  const optional = z.union([addressSchema, list], rule).optional()
  return z
    .strictObject({
      to: required.describe('One address, or a list of them.'),
      subject: line(998),
      body: z.string().optional().describe('The mail as plain text.'),
      html: z.string().optional().describe('The mail as HTML, beside or in place of `body`.'),
      from: senderSchema.optional(),
      cc: optional.describe('Further recipients whom all see.'),
      bcc: optional.describe('Further recipients whom nobody else sees.'),
      replyTo: optional.describe('Where replies go.'),
      attachments: z
        .array(attachmentSchema)
        .max(maxAttachments, `must be at most ${maxAttachments} attachments`)
        .refine((attachments) => sizeOf(attachments) <= maxAttachmentBytes, {
          error: `must hold at most ${maxAttachmentBytes} bytes together`,
        })
        .optional(),
    })
    .refine(({ body, html }) => body !== undefined || html !== undefined, {
      path: ['body'],
      error: 'a mail needs body, html or both',
    })
    .refine(
      ({ body = '', html = '' }) =>
        Buffer.byteLength(body) + Buffer.byteLength(html) <= maxBodyBytes,
      { path: ['body'], error: `body and html hold at most ${maxBodyBytes} bytes together` },
    )
    .refine(
      ({ to, cc, bcc }) =>
        listOf(to).length + listOf(cc).length + listOf(bcc).length <= maxRecipients,
      { path: ['to'], error: `to, cc and bcc hold at most ${maxRecipients} addresses together` },
    )
}

/** A mail as the handler gets it. */
export type EmailPayload = z.output<ReturnType<typeof payloadSchema>>
