import { openDatabase } from '#database/database.ts';
import { key } from './homes.ts';

// Writes row after row, each in a transaction of its own, and tells of each once it is confirmed.
