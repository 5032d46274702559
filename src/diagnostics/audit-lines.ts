import { openChannel } from './channel.ts';

/** Audit lines that could not be written. */
export const lostAuditLines = openChannel<{ lines: number }>('audit-lines-lost');

/** Whether the audit cannot be written: each failure, and the next success. */
export const auditFailures = openChannel<{ isFailing: boolean }>('audit-failure');
