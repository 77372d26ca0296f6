import { defineConfig } from 'redisdistro'
import webhook from './plugins/webhook.js'

const origins = process.env.WEBHOOK_ORIGINS?.split(',') ?? ['http://127.0.0.1:8080']

const config = defineConfig({
  redis: { url: process.env.REDIS_URL },
  plugins: [webhook({ origins })],
  queues: { webhooks: { concurrency: 20, retention: { completed: { age: '1h' } } } },
})

export default config
