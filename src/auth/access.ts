import type { IncomingMessage } from 'node:http';

import type { AuthMethod } from './authentication/settings.ts';
import type { Signatures } from './authentication/signature/signatures.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import { anonymous, type Principal } from './principal.ts';

/**
 * Identifies the caller of a request from its headers and its connection.
 * @throws Problem unauthenticated, with its challenges
 */
export type Authenticate = (request: IncomingMessage) => Principal | Promise<Principal>;

/** Authentication and authorization. */
export interface Access {
  /** How callers authenticate; empty if they do not. */
  methods: readonly AuthMethod[];
  authenticate: Authenticate;
  /** The verification of signed requests; absent if the wire endpoint is off. */
  signatures?: Signatures | undefined;
  authorizer: Authorizer;
}

/** No authentication: every caller is `anonymous` and may do everything. */
export const openToAll: Access = {
  methods: [],
  authenticate: () => anonymous,
  authorizer: {
    isOpen: true,
    isWithoutPolicies: () => false,
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
    filterPermitted: (_request, items) => [...items],
  },
};
