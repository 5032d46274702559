import type { IncomingMessage } from 'node:http';

import type { Authorizer } from './authorization/authorizer.ts';
import { anonymous, type Principal } from './principal.ts';

/**
 * Says who sent a request, by its headers and its connection.
 * @throws Problem unauthenticated, with its challenges
 */
export type Authenticate = (request: IncomingMessage) => Principal | Promise<Principal>;

/** Who is calling, and may they. */
export interface Access {
  authenticate: Authenticate;
  authorizer: Authorizer;
}

/** Everybody is the same to us, and may do everything. */
export const openToAll: Access = {
  authenticate: () => anonymous,
  authorizer: {
    isOpen: true,
    version: () => 0,
    decide: () => ({ isPermitted: true, policies: [] }),
    mayPermit: () => true,
    require: () => ({ isPermitted: true, policies: [] }),
    requireAny() {},
    openSeries: () => ({
      decide: () => ({ isPermitted: true, policies: [] }),
      require: () => ({ isPermitted: true, policies: [] }),
      [Symbol.dispose]() {},
    }),
    filterPermitted: (_asker, items) => [...items],
  },
};
