import type { Command } from '../../command.ts';
import { exitCodes, makeUsageError } from '../../exit-codes.ts';

export const wireKeyCommand: Command = {
  usage: '<name>',
  description:
    'Prints the key pair with which the caller of an API key uses AWS clients, as a profile of their credentials file. It is for operators: it reads WIRE_SECRET or WIRE_SECRET_FILE, and API_KEYS_FILE. It does not call the gateway.',
  operands: { min: 1, max: 1 },
  options: {},
  examples: ['log-export wire-key checkout'],
  async run({ operands: [name = ''] }, { surroundings: { stdout, readWireKey } }) {
    try {
      stdout.write(`${await readWireKey(name)}\n`);
      return exitCodes.completed;
    } catch (error) {
      if ((error as Error).name !== 'ConfigError') throw error;
      throw makeUsageError((error as Error).message);
    }
  },
};
