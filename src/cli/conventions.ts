/** What all commands have in common, as help, man page and documentation tell it. */

import { clusterVariable } from '../cluster/instance/cluster-name.ts';

export const exitCodes: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'it is done, or it was so already'],
  ['1', 'it failed; stderr says why, and what to do'],
  ['2', 'the command line is wrong; nothing was done'],
  ['125', 'of ci: timonier failed, not the command, whose code it else is'],
  ['126', 'of ci: the command can’t be run'],
  ['127', 'of ci: there is no such command'],
  ['130', 'interrupted by Ctrl-C (SIGTERM ends `run` with 0)'],
];

export const variables: readonly (readonly [name: string, text: string])[] = [
  ['KUBECONFIG', 'the kubeconfig that gets the context timonier-NAME; default: ~/.kube/config'],
  [clusterVariable, 'which cluster is meant where no name is given; `ci` sets it for its command'],
  [
    'TIMONIER_ROOT',
    'where clusters are kept; default: /var/lib/timonier for root, else $XDG_DATA_HOME/timonier or ~/.local/share/timonier',
  ],
  ['NODE_COMPILE_CACHE', 'where compiled code is kept between starts'],
];
