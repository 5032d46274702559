#!/usr/bin/env node
import { verifyWithSdk } from '#verify-with-sdk.ts';
import { exit } from './exit.ts';

process.exitCode = await verifyWithSdk(
  process.argv.slice(2),
  process.env,
  (line) => void process.stdout.write(`${line}\n`),
).catch(exit);
