import { CapError } from '../core/index.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the programs of the desktop session talk to each other. @throws CAP_DISPLAY_UNAVAILABLE */
export function sessionBusAddress(environment: Environment = process.env): string {
  const { DBUS_SESSION_BUS_ADDRESS: address, XDG_RUNTIME_DIR: folder } = environment;
  if (address) return address;
  if (folder) return `unix:path=${folder}/bus`;
  throw new CapError('CAP_DISPLAY_UNAVAILABLE', 'there is no D-Bus session: DBUS_SESSION_BUS_ADDRESS is not set', {
    hint: 'run in a desktop session, or name another source with --source',
  });
}
