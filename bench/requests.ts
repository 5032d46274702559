export const region = 'eu-west-1';

/** The body of every create in the benchmark. */
export const createBody = {
  taskName: 'checkout-2024-05-01',
  logGroupName: '/demo/checkout',
  from: 1_714_521_600_000,
  to: 1_714_607_999_999,
  destination: 'demo-log-archive',
  destinationPrefix: 'checkout/2024-05-01',
};

const body = JSON.stringify(createBody);

/** The HTTP request of a create. `credential` is a header field. */
export function createText(credential?: string): string {
  const credentials = credential === undefined ? '' : `${credential}\r\n`;
  return `POST /export-tasks HTTP/1.1\r\nHost: 127.0.0.1\r\n${credentials}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** The log groups of the jobs in the benchmark. */
export const logGroupNames = Array.from({ length: 100 }, (_, index) => `/demo/service-${index}`);

/** The body of an export job of `logGroups` × `hours` slices. */
export function jobBodyOf({ logGroups, hours }: { logGroups: number; hours: number }) {
  return {
    logGroupNames: logGroupNames.slice(0, logGroups),
    from: createBody.from,
    to: createBody.from + hours * 3_600_000,
    sliceBy: 'hour',
    destination: createBody.destination,
  };
}

/** Whether an answer is the refusal of a gateway on a busy machine. It says nothing about what is measured. */
export const isShed = (text: string): boolean => text.includes('"/problems/overloaded"');
