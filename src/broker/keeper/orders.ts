/** Runs to stop, as they were called off: one a line, id and fence. */
export const readOrders = (lines: string): { readonly id: string; readonly fence: string }[] =>
  lines.split('\n').flatMap((line) => {
    const [id = '', fence = ''] = line.split(' ')
    return id === '' ? [] : { id, fence }
  })
