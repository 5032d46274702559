import type { Command } from '../../command.ts';
import { makeUsageError } from '../../exit-codes.ts';
import { cleanText } from '../../output/clean-text.ts';

export const verifyCommand: Command = {
  usage: '<manifest>',
  description:
    'Compares the manifest of an export with the objects in S3, with your own AWS credentials. It does not call the gateway.',
  operands: { min: 1, max: 1 },
  options: { deep: { description: 'Download the objects, and check their content, too.' } },
  examples: ['log-export verify s3://demo-log-archive/exports/_manifest-0c1f9d52.json'],
  run({ operands, isGiven }, { surroundings, screen }) {
    const words = [...(isGiven('deep') ? ['--deep'] : []), '--', ...operands];
    const write = (line: string) => screen.print(cleanText(line));
    const writeError = (line: string) => screen.note(`log-export: ${line}`);
    return surroundings.verifyManifest(words, write, writeError).catch((error: Error) => {
      if (error.name === 'ConfigError') throw makeUsageError(error.message);
      throw error;
    });
  },
};
