import { exportOptions, readExportRequest } from '../../arguments/export-request.ts';
import type { Command } from '../../command.ts';
import { withQuery } from '../../connection/query.ts';
import type { PreflightDocument } from '../../documents.ts';
import { exitCodes } from '../../exit-codes.ts';
import { printPreflight } from '../../output/preflight-lines.ts';
import { jsonOption, shortPatience } from '../waiting.ts';

export const preflightCommand: Command = {
  usage: '<log group>... --from TIME --to TIME --destination BUCKET',
  description: 'Checks what would keep an export from running. It changes nothing.',
  operands: { min: 0, max: 1_000 },
  options: { ...exportOptions, ...jsonOption },
  examples: [
    'log-export preflight /demo/checkout --from -2d --to -1d --destination demo-log-archive',
  ],
  async run(given, { surroundings, screen, openClient }) {
    const now = surroundings.now();
    const { target, body, timeRange } = readExportRequest(given, now);
    const client = openClient(shortPatience(now));
    screen.note(`Time range: ${timeRange} (UTC)`);

    const { bytes, document } = await client.send(
      { method: 'POST', path: withQuery('/preflights', { target }), body },
      'checks',
    );

    const preflight = document as PreflightDocument;
    if (given.isGiven('json')) screen.printDocument(bytes);
    else printPreflight(screen, preflight);
    return preflight.verdict === 'fail' ? exitCodes.failed : exitCodes.completed;
  },
};
