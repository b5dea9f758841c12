/** Whether only this machine can reach what listens at `host`. */
export const isLoopback = (host: string): boolean => /^(127\.|::1$|localhost$)/.test(host);
