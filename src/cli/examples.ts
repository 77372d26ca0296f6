import type { Command } from 'commander'

/** How each command is called, by the words that lead to it; shown at the foot of its help. */
const examples: Readonly<Record<string, readonly string[]>> = {
  '': ['redisdistro start', 'redisdistro task list --state dead', 'redisdistro doctor'],
  start: ['redisdistro start', 'redisdistro start --worker --queues images,default'],
  enqueue: [
    `redisdistro enqueue email '{"to":"a@example.com","subject":"Hi","body":"…"}'`,
    "redisdistro enqueue email @mail.json --run-at 'tomorrow 8am' --tz Europe/Rome",
  ],
  'task list': [
    'redisdistro task list --state retryable --queue images',
    'redisdistro task list --json',
  ],
  'task show': ['redisdistro task show 0197f3c2-7d1e-7000-8000-000000000000'],
  'task cancel': ['redisdistro task cancel mail-42'],
  'task requeue': ['redisdistro task requeue mail-42 --queue default'],
  'task promote': ['redisdistro task promote mail-42'],
  'task edit': [
    `redisdistro task edit mail-42 '{"to":"b@example.com"}' --run`,
    'redisdistro task edit mail-42 @mail.json',
  ],
  'queue list': ['redisdistro queue list', 'redisdistro queue list --json'],
  'queue show': ['redisdistro queue show images'],
  'queue pause': ['redisdistro queue pause images'],
  'queue resume': ['redisdistro queue resume images'],
  'queue limit': [
    'redisdistro queue limit images --rate 14/s',
    'redisdistro queue limit images --rate none --max-active 20',
  ],
  'dead list': ['redisdistro dead list'],
  'dead show': ['redisdistro dead show dead --type email --limit 10'],
  'dead requeue': [
    "redisdistro dead requeue dead --error 'connection refused'",
    'redisdistro dead requeue dead:thumbnail --rate 50/s --detach',
  ],
  'dead purge': [
    'redisdistro dead purge dead:thumbnail --older-than 30d --dry-run',
    'redisdistro dead purge dead:thumbnail --yes',
  ],
  'job list': ['redisdistro job list'],
  'job show': ['redisdistro job show 0197f3c2-7d1e-7000-8000-000000000000'],
  'job stop': ['redisdistro job stop 0197f3c2-7d1e-7000-8000-000000000000'],
  'schedule list': ['redisdistro schedule list --limit 200'],
  'schedule show': ['redisdistro schedule show nightly'],
  'schedule run': ['redisdistro schedule run nightly'],
  'schedule pause': ['redisdistro schedule pause nightly'],
  'schedule resume': ['redisdistro schedule resume nightly'],
  'schedule preview': [
    'redisdistro schedule preview nightly -n 20',
    `redisdistro schedule preview '{"task":"report","cron":"0 8 * * 1-5","tz":"Europe/Rome"}'`,
  ],
  'schedule put': [
    `redisdistro schedule put nightly '{"task":"report","cron":"0 3 * * *"}'`,
    'redisdistro schedule put nightly @nightly.json',
  ],
  'schedule remove': ['redisdistro schedule remove nightly'],
  'worker list': ['redisdistro worker list'],
  stats: ['redisdistro stats', 'redisdistro stats --json'],
  events: ['redisdistro events', 'redisdistro events --queue images --json'],
  'config print': ['redisdistro config print', 'redisdistro config print --config other.config.ts'],
  when: ["redisdistro when 'next friday at 5pm' --tz Europe/Rome", 'redisdistro when 90m'],
  openapi: ['redisdistro openapi > openapi.json'],
  doctor: ['redisdistro doctor', "redisdistro doctor --json | jq '.findings[] | select(.do)'"],
  completion: [
    'source <(redisdistro completion bash)',
    'redisdistro completion fish > ~/.config/fish/completions/redisdistro.fish',
  ],
}

/** Puts its examples into the help of a command and of all below it. */
export function addExamples(command: Command, path = ''): void {
  const lines = examples[path]
  if (lines !== undefined) {
    command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`)
  }
  for (const below of command.commands) addExamples(below, `${path} ${below.name()}`.trim())
}
