import type { IHttpRequest } from '@smithy/core/protocols';

/**
 * Returns the request that the SDK makes for a call in a Region. It is complete and signed with keys of
 * nobody, and never sent. Only the SDK knows all the places that an endpoint may come from.
 * @throws the error of the SDK, if it cannot make a request
 */
export async function readUnsentRequest(
  region: string,
  call: (config: ReturnType<typeof unsentConfig>) => Promise<unknown>,
): Promise<IHttpRequest> {
  let made: IHttpRequest | undefined;
  const config = unsentConfig(region, (request) => {
    made = request;
  });
  const ending = await call(config).catch((error) => error);
  if (!made) throw ending;
  return made;
}

function unsentConfig(region: string, receive: (request: IHttpRequest) => void) {
  return {
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    requestHandler: {
      handle: async (request: IHttpRequest): Promise<never> => {
        receive(request);
        throw new Error('never sent');
      },
    },
  };
}
