/**
 * What others did in like experiments: single runs on a machine of this kind, Redis 7.0, a lease of
 * 5 s unless said. By the experiment's name; 'twice' counts tasks whose effect happened twice.
 * @type {Record<string, string | undefined>}
 */
export const rivals = {}
