export const region = 'eu-west-1';

/** The order every create of the measurement makes. */
export const order = {
  taskName: 'checkout-2024-05-01',
  logGroupName: '/demo/checkout',
  from: 1_714_521_600_000,
  to: 1_714_607_999_999,
  destination: 'demo-log-archive',
  destinationPrefix: 'checkout/2024-05-01',
};

/** The log groups jobs of the measurement are about. */
export const logGroupNames = Array.from({ length: 100 }, (_, index) => `/demo/service-${index}`);

/** The body of an export job of `logGroups` × `hours` slices. */
export function jobOf({ logGroups, hours }: { logGroups: number; hours: number }) {
  return {
    logGroupNames: logGroupNames.slice(0, logGroups),
    from: order.from,
    to: order.from + hours * 3_600_000,
    sliceBy: 'hour',
    destination: order.destination,
  };
}
