import { openEmulator } from '#emulator/emulator.ts';
import { order, region } from '../order.ts';

// An AWS that takes every order and finishes it at once, and does not grow.
const emulator = await openEmulator({
  pendingMs: 0,
  runningMs: 0,
  keepFinishedTasksMs: 1_000,
  activeTaskLimit: Number.POSITIVE_INFINITY,
  rateLimits: 'off',
  journalLimit: 100,
});
emulator.seed.logGroup({ region, logGroupName: order.logGroupName });
emulator.seed.bucket({ region, bucket: order.destination });

process.on('disconnect', () => process.exit());
process.send?.({ url: emulator.url });
