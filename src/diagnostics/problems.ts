import { openChannel } from './channel.ts';

/** Problems that a request was answered with, or that an attempt of a slice ended with. */
export const problemsMet = openChannel<{ slug: string }>('problem');
