/** A phrase, its zone, now and the expected instant (both with the offset of their wall time). */
export type Phrase = [text: string, tz: string, now: string, at: string]

export const ROME = 'Europe/Rome'
export const NEW_YORK = 'America/New_York'
export const KOLKATA = 'Asia/Kolkata'
export const LORD_HOWE = 'Australia/Lord_Howe'
export const AUCKLAND = 'Pacific/Auckland'
export const SAO_PAULO = 'America/Sao_Paulo'
export const UTC = 'UTC'
