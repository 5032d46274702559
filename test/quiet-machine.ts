import { idleLoop } from './read-idle-loop.ts';

const ownTime = new URL('./own-time.ts', import.meta.url).href;

/** The flags of a process that behaves on a busy machine as on a quiet one. */
export const quietMachine = ['--import', ownTime, '--import', idleLoop];
