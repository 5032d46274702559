import { exitCodes, isCommandError, isGatewayAway, makeCommandError } from '../exit-codes.ts';
import { type Attempt, isProblem, notTheGateway, readAnswer } from './answer.ts';
import type { Persistence } from './persistence.ts';
import { makeRefusedRequest } from './refused-request.ts';
import { beginRequest, explainFailure, type SendingOptions } from './send-once.ts';

// The gateway sends a comment every 15 seconds. Lower: a slow network breaks the stream. Higher: a gateway
// that has vanished is noticed late.
const silentMs = 45_000;
// The gateway ends each stream within an hour. Lower: one that ends all at once is called in a loop. Higher: events
// arrive late.
const reconnectMs = 1_000;
// A stream that ends earlier, without an event, was closed by a proxy. Lower: the command is silent for ever behind a
// proxy that closes each response. Higher: proxies that end each response after half a minute count as away.
const steadyMs = 20_000;

/** An event of a job, with its data as the gateway has sent it. */
export interface StreamedEvent {
  id: string;
  event: string;
  data: string;
}

/**
 * Yields the events of a job, each once: after a break it connects again, from the last event on. It returns after
 * `job-ended`, or when the gateway says that the job has ended and no event follows.
 * @throws CommandError
 */
export async function* followEvents(
  jobId: string,
  options: SendingOptions,
  persistence: Persistence,
): AsyncGenerator<StreamedEvent> {
  let lastId: string | undefined;
  for (;;) {
    using silence = openSilenceTimer(options);
    const signal = AbortSignal.any([silence.signal, options.interrupted]);
    try {
      const response = await openStream(jobId, lastId, options, signal);
      if (response.status === 200 && isEventStream(response)) {
        const openedAt = options.now();
        const isSteady = () => options.now() - openedAt >= steadyMs;
        let hasEvent = false;
        const spoke = () => {
          silence.restart();
          if (isSteady()) persistence.answered();
        };
        for await (const event of readEvents(response, spoke)) {
          hasEvent = true;
          persistence.answered();
          lastId = event.id;
          yield event;
          if (event.event === 'job-ended') return;
        }
        if (hasEvent || isSteady()) await persistence.pause(reconnectMs);
        else await persistence.pauseWhileAway('its event stream ended at once');
        continue;
      }
      if (response.status === 204) return;
      await waitAfter(await readAnswer(response, options.base), options, persistence);
    } catch (error) {
      options.interrupted.throwIfAborted();
      if (isCommandError(error) && !isGatewayAway(error)) throw error;
      if (options.now() >= options.deadline) throw timeIsUp(jobId, options.commandName);
      const isSilent = silence.signal.aborted && !options.interrupted.aborted;
      await persistence.pauseWhileAway(
        isSilent ? 'nothing arrived for some time' : explainFailure(error, options),
      );
    }
  }
}

/** How to find a job again. */
export const comeBackText = (jobId: string, commandName: string): string =>
  `The job goes on. Come back with:\n  ${commandName} watch ${jobId}`;

/** The end of a command whose time is over before the job has ended. */
export const timeIsUp = (jobId: string, commandName: string) =>
  makeCommandError(
    exitCodes.waitingRanOut,
    `The job has not ended in time. ${comeBackText(jobId, commandName)}`,
  );

function openStream(
  jobId: string,
  lastId: string | undefined,
  options: SendingOptions,
  signal: AbortSignal,
): Promise<Response> {
  const headers = {
    accept: 'text/event-stream, application/problem+json',
    ...(lastId !== undefined && { 'last-event-id': lastId }),
  };
  const path = `/export-jobs/${encodeURIComponent(jobId)}/events`;
  return beginRequest({ method: 'GET', path, headers }, options, signal);
}

const isEventStream = ({ headers }: Response) =>
  headers.get('content-type')?.startsWith('text/event-stream') ?? false;

/** Waits before the next attempt after an answer that is no stream. @throws CommandError if none follows */
async function waitAfter(attempt: Attempt, options: SendingOptions, persistence: Persistence) {
  if (attempt.outcome === 'away')
    return persistence.pauseWhileAway(attempt.reason, attempt.retryAfterMs);
  const { answer } = attempt;
  if (await persistence.waitOut(answer)) return;
  if (isProblem(answer.document)) throw makeRefusedRequest(answer.document, answer.challenge);
  throw notTheGateway(options.base, 'answers with a document of another kind');
}

/** Yields the events of a stream. `spoke` is called with each part of it, also with comments. */
async function* readEvents(response: Response, spoke: () => void): AsyncGenerator<StreamedEvent> {
  let rest = '';
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    spoke();
    const blocks = (rest + part).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map(toField));
      const [id, event, data] = [fields.get('id'), fields.get('event'), fields.get('data')];
      if (id !== undefined && event !== undefined && data !== undefined) yield { id, event, data };
    }
  }
}

function toField(line: string): [name: string, value: string] {
  const colon = line.indexOf(': ');
  return [line.slice(0, colon), line.slice(colon + 2)];
}

/** Aborts its signal after a silence, and at the deadline of the command. */
function openSilenceTimer({ timeout, now, deadline }: SendingOptions) {
  const silence = new AbortController();
  const abort = () => silence.abort();
  let timer: AbortSignal | undefined;
  const stop = () => timer?.removeEventListener('abort', abort);
  const restart = () => {
    stop();
    timer = timeout(Math.max(0, Math.min(silentMs, deadline - now())));
    if (timer.aborted) abort();
    timer.addEventListener('abort', abort);
  };
  restart();
  return { signal: silence.signal, restart, [Symbol.dispose]: stop };
}
