import type { Command, Option } from 'commander'

/** A command as shells complete it. */
export interface Place {
  /** The words that lead here, without the program's name: `task list`, '' for the program. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly says: string }[]
  readonly options: readonly Flag[]
  /** What its arguments may be, where they are a choice. */
  readonly choices: readonly string[]
}

export interface Flag {
  /** As it is typed: `--json`, `-h`. */
  readonly names: readonly string[]
  readonly says: string
  /** What kind of value follows; undefined where none does. */
  readonly value: 'file' | 'choice' | 'text' | undefined
  readonly choices: readonly string[]
}

function flagOf(option: Option): Flag {
  const { long, short, required, optional, argChoices = [] } = option
  const takes = required || optional
  const kind = argChoices.length > 0 ? 'choice' : long === '--config' ? 'file' : 'text'
  return {
    names: [long, short].filter((name) => name != null),
    says: option.description,
    value: takes ? kind : undefined,
    choices: argChoices,
  }
}

/** A command and all below it, as its help would list them. */
export function placesOf(command: Command, path = ''): Place[] {
  const help = command.createHelp()
  const below = help.visibleCommands(command)
  const options = [...help.visibleOptions(command), ...globalsOf(command)]
  const place: Place = {
    path,
    commands: below.map((each) => ({ name: each.name(), says: each.description() })),
    options: options.map(flagOf),
    choices: command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
  }
  // The help command is made anew by each asking, and leads nowhere.
  const known = below.filter((each) => command.commands.includes(each))
  return [place, ...known.flatMap((each) => placesOf(each, `${path} ${each.name()}`.trim()))]
}

/** The options of the commands above, but for what the program alone answers. */
function globalsOf({ parent }: Command): Option[] {
  if (parent === null) return []
  return [...parent.options.filter(({ long }) => long !== '--version'), ...globalsOf(parent)]
}
