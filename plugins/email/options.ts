import { z } from 'zod'
import { parseSender, senderRule } from './address.js'

const pem = z.string().refine((text) => text.includes('-----BEGIN CERTIFICATE-----'), {
  error: 'must be PEM, which has -----BEGIN CERTIFICATE----- in it',
})

const tlsSchema = z.strictObject({
  ca: pem.optional().describe("PEM of the authorities to trust, in place of the system's."),
  servername: z.string().min(1).optional().describe('Name that the certificate must have.'),
  rejectUnauthorized: z.boolean().optional().describe('false trusts anyone: for tests alone.'),
})

/** What `email({...})` takes. Defaults and reference docs come from here. */
export const optionsSchema = z.strictObject({
  from: z
    .string()
    .refine((text) => text === '' || parseSender(text) !== undefined, senderRule)
    .optional()
    .describe('Whom mails are from that name nobody; MAIL_FROM if left out or empty.'),
  // Checked in setup, where SMTP_URL is known as well; a message there can leave the password out.
  smtp: z
    .string()
    .optional()
    .describe("smtp:// or smtps:// URL of the server, or 'outbox'; SMTP_URL if left out or empty."),
  tls: tlsSchema
    .optional()
    .describe('How the server is known; its certificate is verified if left out.'),
  requireTls: z
    .boolean()
    .optional()
    .describe(
      'Send nothing without TLS; true if left out where SMTP_URL has a login and another host.',
    ),
  maxRecipients: z
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .describe('Recipients of one mail at most, to, cc and bcc together.'),
  maxBodyBytes: z
    .int()
    .min(0)
    .default(5 * 1024 * 1024)
    .describe('Bytes of `body` and `html` at most, together.'),
  maxAttachments: z.int().min(0).max(100).default(10).describe('Attachments of one mail at most.'),
  maxAttachmentBytes: z
    .int()
    .min(0)
    .default(10 * 1024 * 1024)
    .describe("Bytes of one mail's attachments at most, decoded and together."),
  maxConnections: z
    .int()
    .min(1)
    .max(100)
    .default(5)
    .describe('Connections to the SMTP server at most, in each process.'),
})

/** The options as a config gives them. */
export type EmailOptionsInput = z.input<typeof optionsSchema>

/** The options with their defaults. */
export type EmailOptions = z.output<typeof optionsSchema>
