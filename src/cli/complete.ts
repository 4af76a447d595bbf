/**
 * What can come next on a command line: for the completion of shells. Pure, from the tree of commands. Options are named
 * once a `-` is there, as shells have it; those that install something as well, since here somebody looks for them.
 */
import type { Argument, Command, Option } from 'commander';

export interface CompletionWord {
  readonly word: string;
  readonly description?: string;
}

/** `files`, `dirs`: the shell knows those itself. */
export type Completion =
  | { readonly kind: 'words'; readonly candidates: readonly CompletionWord[] }
  | { readonly kind: 'files' | 'dirs' }
  /** of another program, with its own words */
  | { readonly kind: 'kubectl'; readonly words: readonly string[]; readonly cluster?: string };

export interface Known {
  readonly clusters: readonly string[];
}

/** `words` are those after the program's name; the last one is being typed, and may be empty. */
export function complete(program: Command, words: readonly string[], known: Known): Completion {
  const typed = joinEquals(words);
  const current = typed.at(-1) ?? '';
  const { command, rest } = descend(program, typed.slice(0, -1));
  if (command.name() === 'kubectl') return completeKubectl(rest, current);
  const [flag = '', value] = current.split('=', 2);
  const named = current.includes('=') ? optionOf(command, flag) : undefined;
  if (named) return ofOption(named, { current: value ?? '', prefix: `${flag}=`, known });
  const before = optionOf(command, rest.at(-1));
  if (before && takesValue(before)) return ofOption(before, { current, prefix: '', known });
  if (current.startsWith('-')) return wordsLike(current, optionsOf(command));
  const candidates = subcommandsOf(command);
  if (candidates.length > 0) return wordsLike(current, rest.length === 0 ? candidates : []);
  return ofArgument(argumentAt(command, rest), { current, known });
}

/** Bash takes `--flag=value` apart. */
function joinEquals(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const [i, word] of words.entries()) {
    const afterEquals = words[i - 1] === '=' && joined.at(-1)?.endsWith('=');
    if (joined.at(-1)?.startsWith('--') && (word === '=' || afterEquals)) joined.push(`${joined.pop()}${word}`);
    else joined.push(word);
  }
  return joined;
}

function descend(program: Command, words: readonly string[]): { command: Command; rest: readonly string[] } {
  let command = program;
  for (const [i, word] of words.entries()) {
    const next = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (!next) return { command, rest: words.slice(i) };
    command = next;
  }
  return { command, rest: [] };
}

const subcommandsOf = (command: Command): CompletionWord[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((each) => ({ word: each.name(), description: each.description() }));

const optionsOf = (command: Command): CompletionWord[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({ word: option.long ?? option.short ?? '', description: option.description }));

const optionOf = (command: Command, word: string | undefined): Option | undefined =>
  word === undefined ? undefined : command.options.find((option) => option.long === word || option.short === word);

const takesValue = (option: Option): boolean => option.required || option.optional;

interface Place {
  readonly current: string;
  readonly prefix: string;
  readonly known: Known;
}

function ofOption(option: Option, { current, prefix, known }: Place): Completion {
  const choices = option.argChoices ?? (option.long === '--cluster-name' ? known.clusters : undefined);
  if (choices)
    return wordsLike(
      `${prefix}${current}`,
      choices.map((word) => ({ word: `${prefix}${word}` })),
    );
  return ofPlaceholder(/<([^<>]+)>/.exec(option.flags)?.[1]);
}

const ofPlaceholder = (placeholder: string | undefined): Completion => {
  if (placeholder?.startsWith('FILE')) return { kind: 'files' };
  return placeholder === 'DIR' ? { kind: 'dirs' } : wordsLike('', []);
};

/** The argument at whose place the next word stands; the last one may take many. */
function argumentAt(command: Command, rest: readonly string[]): Argument | undefined {
  const given = rest.filter((word, i) => !word.startsWith('-') && !isValue(command, rest[i - 1]));
  const args = command.registeredArguments;
  const last = args.at(-1);
  return args[given.length] ?? (last?.variadic ? last : undefined);
}

function isValue(command: Command, before: string | undefined): boolean {
  const option = optionOf(command, before);
  return option !== undefined && takesValue(option);
}

function ofArgument(argument: Argument | undefined, { current, known }: Omit<Place, 'prefix'>): Completion {
  if (!argument) return wordsLike('', []);
  if (argument.argChoices)
    return wordsLike(
      current,
      argument.argChoices.map((word) => ({ word })),
    );
  if (argument.name() === 'NAME')
    return wordsLike(
      current,
      known.clusters.map((word) => ({ word })),
    );
  return ofPlaceholder(argument.name());
}

function completeKubectl(words: readonly string[], current: string): Completion {
  const [first, cluster, ...more] = words;
  if (first === '--cluster-name' && cluster !== undefined) return { kind: 'kubectl', words: [...more, current], cluster };
  return { kind: 'kubectl', words: [...words, current] };
}

const wordsLike = (current: string, candidates: readonly CompletionWord[]): Completion => ({
  kind: 'words',
  candidates: candidates.filter(({ word }) => word.startsWith(current)),
});
