/** What a cluster could leave behind on a machine, to compare before and after. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const lines = (program: string, ...args: string[]): string[] =>
  execFileSync(program, args, { encoding: 'utf8' }).split('\n').filter(Boolean);
const filesIn = (dir: string): string[] =>
  existsSync(dir) ? readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name)) : [];

/** Processes that mention one of `marks`; one that nobody reaps is gone all the same. */
function processes(marks: readonly string[]): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && Number(pid) !== process.ppid)
    .flatMap((pid) => {
      try {
        const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return marks.some((mark) => commandLine.includes(mark)) ? [`${pid} ${commandLine}`] : [];
      } catch {
        return []; // it ended meanwhile
      }
    });
}

/** `marks` are strings by which the processes and cgroups in question are known. */
export function machineState(marks: readonly string[]) {
  return {
    processes: processes(marks),
    mounts: readFileSync('/proc/self/mounts', 'utf8').split('\n'),
    links: lines('ip', '-brief', 'link').map((line) => line.split(' ')[0]),
    routes: lines('ip', 'route'),
    namespaces: lines('ip', 'netns', 'list').map((line) => line.split(' ')[0]),
    rules: lines('nft', 'list', 'ruleset'),
    cgroups: readdirSync('/sys/fs/cgroup').flatMap((hierarchy) =>
      marks.map((mark) => join('/sys/fs/cgroup', hierarchy, mark)).filter((path) => existsSync(path)),
    ),
    files: ['/run/containerd', '/var/lib/cni', '/run/netns', '/var/run/netns'].flatMap(filesIn),
  };
}
