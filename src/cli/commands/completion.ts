/**
 * `timonier completion bash|zsh|fish`: a script for the shell, which asks `timonier __complete WORDS…` for what can come
 * next. The answer is a line `words`, `files` or `dirs`, and for `words` a line for each: the word, a tab, what it is.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Argument, type Command } from 'commander';
import { kubeconfigInMemory, usualCluster } from '../../cluster/instance/cluster-name.ts';
import { Instance, listInstances } from '../../cluster/instance/instance.ts';
import { type Completion, type CompletionWord, complete } from '../complete.ts';
import { findKubectl } from './kubectl.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('a script that completes timonier’s words in a shell')
    .addArgument(new Argument('<SHELL>', 'which').choices(shells))
    .addHelpText('after', `\nFor this shell:\n${shells.map((shell) => `  ${shell.padEnd(5)} ${loads[shell]}`).join('\n')}`)
    .action((shell: Shell) => {
      process.stdout.write(scripts[shell]);
    });
  program
    .command('__complete', { hidden: true })
    .argument('[WORDS...]')
    .passThroughOptions()
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      const clusters = listInstances().map(({ name }) => name);
      for (const line of await answer(complete(program, words, { clusters }))) process.stdout.write(`${line}\n`);
    });
}

async function answer(completion: Completion): Promise<string[]> {
  if (completion.kind === 'kubectl') return ['words', ...(await askKubectl(completion))];
  if (completion.kind === 'words') return ['words', ...completion.candidates.map(lineOf)];
  return [completion.kind];
}

const lineOf = ({ word, description }: CompletionWord): string => (description ? `${word}\t${description}` : word);

const kubectlAnswerMs = 3000;

/** Its lines are words and descriptions too; the last one is `:` and a number for its own scripts. */
async function askKubectl({ words, cluster = usualCluster() }: Extract<Completion, { kind: 'kubectl' }>): Promise<string[]> {
  const kubectl = await findKubectl();
  if (!kubectl) return [];
  const env = { ...process.env, KUBECONFIG: kubeconfigInMemory(cluster) ?? new Instance(cluster).kubeconfig };
  const asked = promisify(execFile)(kubectl, ['__complete', ...words], { env, timeout: kubectlAnswerMs });
  const { stdout } = await asked.catch(() => ({ stdout: '' })); // then there is nothing to offer
  return stdout.split('\n').filter((line) => line !== '' && !line.startsWith(':'));
}

const loads: Readonly<Record<Shell, string>> = {
  bash: 'source <(timonier completion bash)',
  zsh: 'source <(timonier completion zsh)',
  fish: 'timonier completion fish | source',
};

const scripts: Readonly<Record<Shell, string>> = {
  bash: `_timonier() {
  local line kind= words=()
  while IFS= read -r line; do
    if [ -z "$kind" ]; then kind=$line; else words+=("\${line%%$'\\t'*}"); fi
  done < <("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  local current=\${COMP_WORDS[COMP_CWORD]}
  case $kind in
    files) COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null ;;
    dirs) COMPREPLY=($(compgen -d -- "$current")); compopt -o filenames 2>/dev/null ;;
    *)
      COMPREPLY=("\${words[@]}")
      # bash has taken --flag=value apart, and replaces the value alone
      case \${COMP_WORDS[COMP_CWORD - 1]}$current in *=*) COMPREPLY=("\${COMPREPLY[@]#*=}") ;; esac
      ;;
  esac
}
complete -F _timonier timonier
`,
  zsh: `#compdef timonier
_timonier() {
  local -a lines described
  lines=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  case $lines[1] in
    files) _files ;;
    dirs) _files -/ ;;
    *)
      local line
      for line in "\${(@)lines[2,-1]}"; do
        [[ -n $line ]] && described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
      done
      _describe timonier described
      ;;
  esac
}
if [ "$funcstack[1]" = _timonier ]; then _timonier; else compdef _timonier timonier; fi
`,
  fish: `function __timonier_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines ($words[1] __complete $words[2..-1] 2>/dev/null)
  switch "$lines[1]"
    case files
      __fish_complete_path (commandline -ct)
    case dirs
      __fish_complete_directories (commandline -ct)
    case '*'
      printf '%s\\n' $lines[2..-1]
  end
end
complete -c timonier -f -a '(__timonier_complete)'
`,
};
