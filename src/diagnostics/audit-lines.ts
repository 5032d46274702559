import { openChannel } from './channel.ts';

/** Audit lines that could not be written. */
export const lostAuditLines = openChannel<{ lines: number }>('audit-lines-lost');
