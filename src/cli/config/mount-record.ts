import { Command } from 'commander';
import type { MountOptions } from '../../gateway/index.js';
import { checkRecording, FileTemplate } from '../../session/index.js';
import { addRecordOptions, checkRecordName, type RecordFlags, toRecord } from '../record-options.js';
import { inFile, readOptionTable } from './option-table.js';
import type { TomlFile } from './toml-file.js';

type MountRecord = NonNullable<MountOptions['record']>;

/** Reads `[mounts.desk.record]`, where there is one. @throws CAP_USAGE with the line */
export function readMountRecord(file: TomlFile, mount: string): MountRecord | undefined {
  const keys = ['mounts', mount, 'record'];
  if (!file.table(keys)) return undefined;
  const command = addRecordOptions(new Command().option('--file <name>'));
  const flags = readOptionTable<RecordFlags & { readonly file?: string }>(file, keys, command, 'record-');
  if (flags.file === undefined) {
    throw file.error(keys, `there is no file in [${keys.join('.')}]`, {
      hint: 'such as file = "rec/{mount}/%Y-%m-%d/%H-%M-%S.mp4"',
    });
  }
  const options = { ...toRecord(flags), mount: mount.replaceAll('/', '-') };
  try {
    checkRecording(checkRecordName(flags.file), options);
    return { ...options, file: flags.file };
  } catch (error) {
    throw inFile(file, [...keys, 'file'], error, 'record-');
  }
}

/** Two recordings must not remove each other's files. @throws CAP_USAGE with the line */
export function refuseSharedFiles(file: TomlFile, mounts: readonly MountOptions[]): void {
  const names = new Map<string, string>();
  for (const { path, record } of mounts) {
    if (!record) continue;
    const { text } = new FileTemplate(record.file, record.mount);
    const other = names.get(text);
    if (other !== undefined) {
      throw file.error(['mounts', path.slice(1), 'record', 'file'], `${other} and ${path} record into the same files`, {
        hint: 'put {mount} into the name',
      });
    }
    names.set(text, path);
  }
}
