import { describe, expect, test } from 'vitest';

import { readTraceParent, writeTraceParent } from '#telemetry/traces/trace-parent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const text = `00-${traceId}-${spanId}-01`;

describe('traceparent', () => {
  test.each([
    ['of version 00', text, 1],
    ['of a trace that is not recorded', text.replace(/01$/, '00'), 0],
    ['with flags that are not known yet', text.replace(/01$/, 'fe'), 0],
    ['of a later version', text.replace(/^00/, '01'), 1],
    ['of a later version with more', `${text.replace(/^00/, '01')}-more`, 1],
  ])('%s is read', (_what, given, traceFlags) => {
    expect(readTraceParent(given)).toEqual({ traceId, spanId, traceFlags });
  });

  test.each([
    ['empty', ''],
    ['in capitals', text.toUpperCase()],
    ['of version ff', text.replace(/^00/, 'ff')],
    ['of version 00 with more', `${text}-more`],
    ['of a later version with more digits', `${text.replace(/^00/, '01')}00`],
    ['without flags', text.slice(0, -3)],
    ['with a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['with a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['twice', `${text}, ${text}`],
    ['with a space in front', ` ${text}`],
  ])('that is %s is unknown', (_what, given) => {
    expect(readTraceParent(given)).toBeUndefined();
  });

  test('is written as it was read', () => {
    const context = readTraceParent(text, 'vendor=value');

    expect(context?.traceState?.get('vendor')).toBe('value');
    expect(context && writeTraceParent(context)).toBe(text);
  });

  test('keeps at most 512 characters of tracestate', () => {
    const state = `vendor=${'v'.repeat(600)}`;

    expect(readTraceParent(text, state)?.traceState?.serialize()).toBe('');
  });
});
