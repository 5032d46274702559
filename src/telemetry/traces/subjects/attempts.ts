import {
  type Link,
  ROOT_CONTEXT,
  SamplingDecision,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api';

import { attemptCalls, attemptEnds, type SliceAttempt } from '#diagnostics/exports.ts';
import { activeSpan } from '../../active-span.ts';
import { idsOfAttempt } from '../span-ids.ts';
import { readTraceParent } from '../trace-parent.ts';
import type { Tracing } from '../tracing.ts';

const name = 'export slice attempt';

/**
 * Makes a span of each attempt of a slice, from its create to its end. Each is a trace of its own, linked
 * to the request that created the job. The replica that records the end makes the span, so no restart
 * loses it.
 */
export function traceAttempts({ tracer, sampler, ids, now }: Tracing): Disposable {
  const subscriptions = new DisposableStack();

  /** The span of an attempt, for the calls to AWS that are its children. */
  function contextOf(attempt: SliceAttempt): SpanContext {
    const own = idsOfAttempt(attempt.marker);
    const links = linksOf(attempt);
    const { decision } = sampler.shouldSample(
      ROOT_CONTEXT,
      own.traceId,
      name,
      SpanKind.INTERNAL,
      {},
      links,
    );
    return { ...own, traceFlags: decision === SamplingDecision.RECORD_AND_SAMPLED ? 1 : 0 };
  }

  subscriptions.defer(attemptCalls.bind(activeSpan, contextOf));
  subscriptions.defer(
    attemptEnds.subscribe((end) => {
      const { durationMs, outcome, problem, polls, taskCreatedAt, taskCompletedAt } = end;
      const endedAt = now();
      const span = ids.use(idsOfAttempt(end.marker), () =>
        tracer.startSpan(
          name,
          {
            kind: SpanKind.INTERNAL,
            // A number before the start of this process would count as time since then.
            startTime: new Date(endedAt - durationMs),
            links: linksOf(end),
            attributes: {
              'log_export.target': end.target,
              'log_export.job_id': end.jobId,
              'log_export.slice': end.slice,
              'log_export.attempt': end.attempt,
              'log_export.outcome': outcome,
              'log_export.polls': polls,
            },
          },
          ROOT_CONTEXT,
        ),
      );
      if (taskCreatedAt !== undefined) span.addEvent('task created', new Date(taskCreatedAt));
      if (taskCompletedAt !== undefined) span.addEvent('task completed', new Date(taskCompletedAt));
      if (problem !== undefined) {
        span.setAttribute('error.type', problem);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end(new Date(endedAt));
    }),
  );
  return subscriptions;
}

function linksOf({ traceParent }: SliceAttempt): Link[] {
  const context = readTraceParent(traceParent ?? undefined);
  return context ? [{ context }] : [];
}
