import type { Screen } from '../output/screen.ts';
import type { Surroundings } from '../surroundings.ts';
import { type GatewayAnswer, isProblem, notTheGateway } from './answer.ts';
import { makeCredentialReader } from './credentials.ts';
import { followEvents, type StreamedEvent } from './event-stream.ts';
import { readGatewayPlace } from './gateway-url.ts';
import { makePersistence, type Patience } from './persistence.ts';
import { makeRefusedRequest } from './refused-request.ts';
import { type GatewayRequest, sendOnce } from './send-once.ts';

/** A client of the gateway's API. It outlasts restarts of the gateway, as long as its patience lasts. */
export interface GatewayClient {
  /** The URL before the paths of the API. */
  base: string;
  /**
   * Sends a request until it is answered. `member` is one that the document of an answer has.
   * @throws CommandError
   */
  send(request: GatewayRequest, member: string): Promise<GatewayAnswer>;
  /** Yields the events of a job until it has ended. @throws CommandError */
  follow(jobId: string): AsyncGenerator<StreamedEvent>;
}

/** Opens the client of a command. */
export type OpenGatewayClient = (patience: Patience) => GatewayClient;

/** Makes the opener of clients. @throws CommandError of exit code 2 when a command opens its client */
export function makeClientOpener(surroundings: Surroundings, screen: Screen): OpenGatewayClient {
  return (patience) => {
    const place = readGatewayPlace(surroundings.env);
    const readCredential = makeCredentialReader(surroundings, place);
    const persistence = makePersistence(surroundings, screen, { place, patience });
    const { base } = place;
    const options = { ...surroundings, base, readCredential, deadline: patience.deadline };
    return {
      base,
      async send(request, member) {
        const { path, retryPath = path, waitMs = 0 } = request;
        for (let isRetry = false; ; isRetry = true) {
          const attempt = await sendOnce(
            { ...request, path: isRetry ? retryPath : path, waitMs: isRetry ? 0 : waitMs },
            options,
          );
          if (attempt.outcome === 'away') {
            await persistence.pauseWhileAway(attempt.reason, attempt.retryAfterMs);
            continue;
          }
          const { answer } = attempt;
          if (await persistence.waitOut(answer)) continue;
          persistence.answered();
          const { status, document } = answer;
          if (status >= 400 && isProblem(document))
            throw makeRefusedRequest(document, answer.challenge);
          if (status !== 304 && !(typeof document === 'object' && document && member in document)) {
            throw notTheGateway(base, 'answers with a document of another kind');
          }
          return answer;
        }
      },
      follow: (jobId) => followEvents(jobId, options, persistence),
    };
  };
}
