import type { Flag, Place } from './tree.js'

/** A word that no shell reads anything into. */
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Where a flag is asked for: `task list|--state`. */
const keysOf = ({ path }: Place, { names }: Flag): string =>
  names.map((name) => quote(`${path}|${name}`)).join(' | ')

interface Placed {
  readonly place: Place
  readonly flag: Flag
}

const withValue = (places: readonly Place[]): Placed[] =>
  places.flatMap((place) =>
    place.options.filter(({ value }) => value !== undefined).map((flag) => ({ place, flag })),
  )

/** Every command that has its own place, as `case` patterns over the place above and its name. */
const stepsOf = (places: readonly Place[]): string[] =>
  places
    .filter(({ path }) => path !== '')
    .map(({ path }) => {
      const above = path.split(' ').slice(0, -1).join(' ')
      return quote(`${above}|${path.split(' ').at(-1)}`)
    })

const wordsOf = ({ commands, options, choices }: Place): string =>
  [...commands.map(({ name }) => name), ...choices, ...options.flatMap(({ names }) => names)].join(
    ' ',
  )

function bash(places: readonly Place[]): string {
  const valued = withValue(places)
  const skips = valued.map(({ place, flag }) => keysOf(place, flag)).join(' | ')
  const values = valued.map(({ place, flag }) => {
    const reply = {
      file: 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))',
      choice: `COMPREPLY=($(compgen -W ${quote(flag.choices.join(' '))} -- "$cur"))`,
      text: ':',
    }
    return `    ${keysOf(place, flag)}) ${reply[flag.value ?? 'text']}; return ;;`
  })
  const lists = places.map((each) => `    ${quote(each.path)}) words=${quote(wordsOf(each))} ;;`)
  return `# bash completion for redisdistro; to use it: source <(redisdistro completion bash)
_redisdistro() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at='' word words='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$at|$word" in
    ${skips}) ((i++)) ;;
    ${stepsOf(places).join(' | ')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at|$prev" in
${values.join('\n')}
  esac
  case "$at" in
${lists.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _redisdistro redisdistro
`
}

/** As `_describe` takes it: a colon parts the name from what it says. */
const described = (name: string, says: string): string =>
  quote(`${name.replaceAll(':', '\\:')}:${says}`)

function zsh(places: readonly Place[]): string {
  const valued = withValue(places)
  const skips = valued.map(({ place, flag }) => keysOf(place, flag)).join(' | ')
  const values = valued.map(({ place, flag }) => {
    const reply = {
      file: '_files',
      choice: `compadd -- ${flag.choices.map(quote).join(' ')}`,
      text: "_message 'a value'",
    }
    return `    ${keysOf(place, flag)}) ${reply[flag.value ?? 'text']}; return ;;`
  })
  const lists = places.map(({ path, commands, options, choices }) => {
    const next = [
      ...commands.map(({ name, says }) => described(name, says)),
      ...choices.map((choice) => described(choice, 'a choice')),
    ]
    const flags = options.flatMap(({ names, says }) => names.map((name) => described(name, says)))
    return `    ${quote(path)}) next=(${next.join(' ')}); flags=(${flags.join(' ')}) ;;`
  })
  return `#compdef redisdistro
# zsh completion for redisdistro; to use it: source <(redisdistro completion zsh)
_redisdistro() {
  local at='' word i
  local -a next flags
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    case "$at|$word" in
    ${skips}) ((i++)) ;;
    ${stepsOf(places).join(' | ')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at|\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$at" in
${lists.join('\n')}
  esac
  (( \${#next} )) && _describe -t commands 'command' next
  _describe -o -t options 'option' flags
}
if [ "\${funcstack[1]}" = '_redisdistro' ]; then _redisdistro "$@"; else compdef _redisdistro redisdistro; fi
`
}

/** Within single quotes fish reads two signs. */
const fishQuote = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function fishFlag({ path }: Place, { names, says, value, choices }: Flag): string {
  const named = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  )
  const takes = {
    file: ' -r -F',
    choice: ` -x -a ${fishQuote(choices.join(' '))}`,
    text: ' -x',
  }
  const when = fishQuote(`__redisdistro_at ${fishQuote(path)}`)
  return `complete -c redisdistro -n ${when} ${named.join(' ')}${value ? takes[value] : ''} -d ${fishQuote(says)}`
}

function fish(places: readonly Place[]): string {
  const keys = ({ place, flag }: Placed) =>
    flag.names.map((name) => fishQuote(`${place.path}|${name}`))
  const lines = places.flatMap((place) => {
    const when = fishQuote(`__redisdistro_at ${fishQuote(place.path)}`)
    const words = [
      ...place.commands.map(({ name, says }) => [name, says] as const),
      ...place.choices.map((choice) => [choice, 'a choice'] as const),
    ]
    return [
      ...words.map(
        ([name, says]) =>
          `complete -c redisdistro -n ${when} -a ${fishQuote(name)} -d ${fishQuote(says)}`,
      ),
      ...place.options.map((flag) => fishFlag(place, flag)),
    ]
  })
  return `# fish completion for redisdistro; to use it: redisdistro completion fish | source
function __redisdistro_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l at ''
    set -l skip no
    for word in $words
        if test $skip = yes
            set skip no
            continue
        end
        switch "$at|$word"
            case ${withValue(places).flatMap(keys).join(' ')}
                set skip yes
            case ${stepsOf(places).join(' ')}
                set at (string trim "$at $word")
        end
    end
    test "$at" = "$argv[1]"
end
complete -c redisdistro -f
${lines.join('\n')}
`
}

/** Completion scripts by shell, each of the whole tree of commands. */
export const scripts = { bash, zsh, fish } as const

export type Shell = keyof typeof scripts
