import type { Command } from 'commander';
import { diagnose, diagnosisError, type Finding } from '../../session/doctor.js';
import type { DisplayServer } from '../../session/index.js';
import { DISPLAY_OPTION, displayServerOption } from '../capture-options.js';
import { integer } from '../parse-options.js';

interface DoctorFlags {
  readonly displayServer?: DisplayServer;
  readonly display?: string;
  readonly rtspPort?: number;
  readonly json?: true;
}

/** Adds `cap doctor`: what this machine has and lacks, a line each with what to do. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check what streaming takes, a line each with what to do; fails only when it cannot work')
    .addOption(displayServerOption())
    .option(...DISPLAY_OPTION)
    .option('--rtsp-port <port>', 'port to look at (default: 8554)', integer('--rtsp-port', 1, 65535))
    .option('--json', 'print JSON')
    .action(async ({ json, ...options }: DoctorFlags) => {
      const diagnosis = await diagnose(options);
      if (json) process.stdout.write(`${JSON.stringify(diagnosis)}\n`);
      else process.stdout.write(`${diagnosis.findings.map(line).join('')}\n`);
      const error = diagnosisError(diagnosis);
      if (error) throw error;
      if (!json) process.stdout.write(`${diagnosis.verdict}\n`);
    });
}

const line = ({ name, ok, found, advice }: Finding): string =>
  `${ok ? '✓' : '✗'} ${name}: ${found}${advice ? ` (${advice})` : ''}\n`;
