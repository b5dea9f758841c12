import { type ExecFileOptions, execFile } from 'node:child_process';

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end without input; a failing program is a result, one that cannot be started an error. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: ExecFileOptions = {},
): Promise<ProgramResult> {
  return new Promise((done, fail) => {
    const child = execFile(program, args, { ...options, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') fail(error);
      else done({ code: Number(error?.code ?? 0), stdout, stderr });
    });
    child.stdin?.end();
  });
}
