/**
 * What others did in like experiments: single runs on a machine of this kind, Redis 7.0, a lease of
 * 5 s unless said, 300 to 600 tasks a second. By the experiment's name; 'twice' counts tasks whose
 * effect happened twice.
 * @type {Record<string, string | undefined>}
 */
export const rivals = {
  'kill -9 of a worker, all it runs waits: last one restarted':
    'by default settings: BullMQ 61 s, bee-queue 12.6 s, platformatic 27 s',
  'the same with a lease of 5 s': 'BullMQ 5.9 s, bee-queue 5.4 s, platformatic 2.4 s',
  'kill -9 of all workers and their supervisors, then a fresh one':
    'BullMQ 4.1 s, bee-queue 6.9 s, platformatic stranded 50 of 50',
  'a task that ends its process, with bystanders':
    'BullMQ: 9 of 9 bystanders dead; bee-queue: loops for ever; platformatic: 10 stuck',
  'a worker stopped (SIGSTOP) for four leases: its late word':
    'BullMQ refuses it; bee-queue and platformatic accept it',
  'an event loop blocked for more than four leases, and a task of ten':
    'a healthy task of five leases: BullMQ and bee-queue ran it once, platformatic ran 6 tasks 20 times',
  'redis-server killed under load, appendfsync everysec, and away for long':
    'BullMQ 10 twice, 0.9 s; bee-queue never went on; platformatic 27 twice, its producer never went on',
  'DEBUG SLEEP, ten leases': '10 s: BullMQ 19 twice, bee-queue 5, platformatic 0',
  'CLIENT PAUSE ALL, ten leases': '10 s: BullMQ 26 twice, bee-queue 0, platformatic 0',
  'SCRIPT FLUSH under load': 'BullMQ went on; bee-queue and platformatic did not',
  'CLIENT KILL of all connections each 200 ms':
    'BullMQ 53 twice and 37 enqueued twice; bee-queue hangs; platformatic 4 stuck',
  'idle, redis-server away':
    '25 s: first task after BullMQ 13.3 s, bee-queue 8.0 s, platformatic 0.1 s',
  'idle, packets dropped both ways':
    '40 s: first task after BullMQ 17.4 s, bee-queue 15.7 s, platformatic 18.5 s',
  'clocks of workers and producers 1 h or 10 s off, either way':
    'a delay of 8 s, worker 1 h ahead: BullMQ and bee-queue 8 s early; 1 h behind: platformatic ran 20 twice',
  'maxmemory reached, workers start late': 'drained: BullMQ and bee-queue 0, platformatic crashed',
  'SIGTERM to the supervisor, short and long tasks':
    'BullMQ and bee-queue gave back; platformatic ran 20 of 20 again',
  'Sentinel: the master is cut off from its replica, clients are on its side':
    'ioredis alone, 9 s: 55,969 of 77,067 acknowledged writes lost',
}
