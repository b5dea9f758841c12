import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessUsage {
  readonly pids: readonly number[];
  /** Processor time used so far, own and of children that have ended. */
  readonly cpuSeconds: number;
  /** Resident memory; pages shared with other processes count in full. */
  readonly rssBytes: number;
  /** Proportional memory; a page shared by n processes counts for 1/n. */
  readonly pssBytes: number;
  readonly descriptors: number;
  readonly threads: number;
}

let ticksPerSecond: number | undefined;

/** Adds up what a process and all its descendants use now. Processes that end meanwhile are left out. */
export function readProcessUsage(pid: number): ProcessUsage {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK']));
  const pids: number[] = [];
  const sum = { cpuSeconds: 0, rssBytes: 0, pssBytes: 0, descriptors: 0, threads: 0 };
  for (const member of processTree(pid)) {
    const usage = readOne(member, ticksPerSecond);
    if (!usage) continue;
    pids.push(member);
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += usage[key];
  }
  return { pids, ...sum };
}

/** The process itself and all its descendants. */
function processTree(pid: number): number[] {
  const tree = [pid];
  for (const member of tree) {
    for (const thread of list(`/proc/${member}/task`)) {
      const children = read(`/proc/${member}/task/${thread}/children`);
      tree.push(...children.split(' ').filter(Boolean).map(Number));
    }
  }
  return tree;
}

function readOne(pid: number, hz: number): Omit<ProcessUsage, 'pids'> | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (!stat) return undefined;
  // The name in parentheses may hold spaces; the fields after it start with the state, number 3 in proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0);
  return {
    cpuSeconds: (field(14) + field(15) + field(16) + field(17)) / hz,
    rssBytes: kilobytes('Rss') * 1024,
    pssBytes: kilobytes('Pss') * 1024,
    descriptors: list(`/proc/${pid}/fd`).length,
    threads: field(20),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process has ended.
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
