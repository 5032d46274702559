import { refuseSigned, refuseSignedBecause } from './refusals.ts';

// AWS has the same limit. Lower: clients whose clock differs are refused. Higher: a recorded request can be
// replayed longer.
const maxSkewMs = 15 * 60_000;
const form = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Checks the time in X-Amz-Date against the clock of the service and the day of the credential scope. The
 * texts are those of AWS: clients correct their clock when they read them.
 * @throws Problem unauthenticated
 */
export function checkSigningTime(at: string, day: string, now: number): void {
  const time = readSigningTime(at);
  if (time === undefined) throw refuseSigned('invalid-signature', 'X-Amz-Date is not a time');
  const [earliest, latest] = [now - maxSkewMs, now + maxSkewMs];
  if (time < earliest) {
    throw refuseSignedBecause(
      'invalid-signature',
      `Signature expired: ${at} is now earlier than ${write(earliest)} (${write(now)} - 15 min.)`,
    );
  }
  if (time > latest) {
    throw refuseSignedBecause(
      'invalid-signature',
      `Signature not yet current: ${at} is still later than ${write(latest)} (${write(now)} + 15 min.)`,
    );
  }
  if (at.slice(0, 8) !== day) {
    throw refuseSignedBecause(
      'invalid-signature',
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${day}' != '${at.slice(0, 8)}', from '${at}'.`,
    );
  }
}

/** The time in epoch ms; undefined if the text is no time of the calendar. */
function readSigningTime(text: string): number | undefined {
  const [, ...parts] = form.exec(text) ?? [];
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  return write(time) === text ? time : undefined;
}

function write(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}
