import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Files of a server for `localhost`, and the authority of its own that has signed it. */
export interface Certificates {
  readonly key: string
  readonly cert: string
  readonly caFile: string
  /** PEM. */
  readonly ca: string
}

/** Undefined where the program that makes them is missing. */
export async function makeCertificates(directory: string): Promise<Certificates | undefined> {
  const at = (name: string) => join(directory, name)
  const openssl = (...words: string[]) => run('openssl', words)
  const found = await openssl('version').catch(() => undefined)
  if (!found) return undefined
  const fresh = ['-newkey', 'rsa:2048', '-nodes', '-keyout']
  const named = (name: string) => ['-subj', `/CN=${name}`, '-days', '2']
  await openssl(
    'req',
    '-x509',
    ...fresh,
    at('ca.key'),
    '-out',
    at('ca.pem'),
    ...named('A house CA'),
  )
  await openssl('req', ...fresh, at('redis.key'), '-out', at('redis.csr'), ...named('localhost'))
  await writeFile(at('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1')
  const signer = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial']
  const signed = ['-in', at('redis.csr'), '-out', at('redis.pem'), '-extfile', at('names')]
  await openssl('x509', '-req', ...signer, ...signed, '-days', '2')
  const ca = await readFile(at('ca.pem'), 'utf8')
  return { key: at('redis.key'), cert: at('redis.pem'), caFile: at('ca.pem'), ca }
}
