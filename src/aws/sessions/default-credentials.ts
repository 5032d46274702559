import { defaultProvider } from '@aws-sdk/credential-provider-node';

import { makeCredentialTrail } from './credential-trail.ts';

/**
 * Makes the SDK's default credential chain, which caches what it finds. `callerClientConfig` is that of
 * the client whose connections it may use, such as for a web identity.
 * @throws the error of the SDK, with what was tried
 */
export function makeDefaultCredentials(): ReturnType<typeof defaultProvider> {
  const trail = makeCredentialTrail();
  const provide = defaultProvider({ logger: trail.logger });
  return async (options) => {
    try {
      return await provide(options);
    } catch (error) {
      throw trail.explain(error);
    }
  };
}
