import { openEmulatedAws } from '../emulated-aws.ts';

const { EMULATOR_OPTIONS = '{}', TARGETS = '0' } = process.env;
const { url, read } = await openEmulatedAws(JSON.parse(EMULATOR_OPTIONS), Number(TARGETS));

process.on('disconnect', () => process.exit());
process.on('message', () => process.send?.(read()));
process.send?.({ url });
