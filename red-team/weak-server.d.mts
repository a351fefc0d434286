export function startWeakServer(): Promise<{ readonly url: string; stop(): Promise<void> }>;
