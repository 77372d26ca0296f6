import { fragment } from '../script.js'

/**
 * What is known of an id: its state, or the one it ended in where its record is gone; its
 * fingerprint, or '' where the caller did not choose it; its score. Nothing where it was never seen.
 * `notOwn`: the id is one that we made, which is remembered by its record alone.
 */
export const recall = fragment(
  'recall',
  `
local function recall(id, notOwn)
  local mark = not notOwn and call('HGET', own, id)
  if not mark and call('HEXISTS', tasks, id) == 0 then return nil end
  local print, ended = string.match(mark or '', '^(%S*) ?(%S*)')
  local state, score = stateOf(id)
  return state or (ended ~= '' and ended or 'completed'), print, score
end
`,
)

/**
 * A write, although it says nothing: what a repeat is told stands behind it in the stream that replicas
 * follow and in the file, so that waiting for this write is waiting for the first task too.
 */
export const touch = fragment('touch', "call('HINCRBY', meta, 'confirmed', 1)")

/** Two for each id in ARGV: state or '', fingerprint or ''. */
export const remembered = fragment(
  'remembered',
  `
local answer = {}
for i = rest + 1, #ARGV do
  local state, print = recall(ARGV[i])
  answer[#answer + 1] = state or ''
  answer[#answer + 1] = print or ''
end
return answer
`,
)
