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
