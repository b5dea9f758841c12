import { networkInterfaces } from 'node:os';

/** Whether only this machine can reach what listens at `host`. */
export const isLoopback = (host: string): boolean => /^(127\.|::1$|localhost$)/.test(host);

/** How a client on this machine writes the address of what listens at `host`. */
export function urlHost(host: string): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return reached.includes(':') ? `[${reached}]` : reached;
}

/** The addresses of this machine: what comes from one of them crossed no network. */
export function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(['127.0.0.1', '::1', ...all.map(({ address }) => address)]);
}
