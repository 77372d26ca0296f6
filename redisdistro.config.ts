import { defineConfig } from 'redisdistro'
import email from 'redisdistro/plugins/email'

// What `npm start` runs. Every key has a default, so that an empty config would run too;
// `npx redisdistro config print` shows each value and where it came from.
const config = defineConfig({
  // Left out (or REDIS_URL unset), an embedded redis-server keeps the tasks under .redisdistro/.
  redis: { url: process.env.REDIS_URL },
  // Without SMTP_URL mails become .eml files in .redisdistro/outbox/.
  plugins: [email({ from: process.env.MAIL_FROM, smtp: process.env.SMTP_URL })],
  queues: { default: { concurrency: 50 } },
})

export default config
