import { z } from 'zod'

/** The schema of a record of ours: every field of it, and no other. */
export const recordOf = <Shown>(
  shape: {
    readonly [Key in keyof Required<Shown>]: z.ZodType<Shown[Key] | undefined>
  },
): z.ZodType<Shown> => z.strictObject(shape) as unknown as z.ZodType<Shown>

export const time = z.iso.datetime()
export const count = z.int().min(0)
