import {
  deleteOldDeliveries,
  deleteSurplusDeliveries,
} from '#notifications/deliveries/expired-deliveries.ts';
import type { DeletionStep } from './deletion-step.ts';

/** Deletes deliveries of notifications that ended long ago. */
export const deleteDeliveries: DeletionStep = async ({ queries, at, maxRows }) => {
  const deliveries = await deleteOldDeliveries(queries, at, maxRows);
  return deliveries === 0 ? undefined : { deliveries };
};

/** Deletes the oldest ended deliveries of destinations that have too many, destination by destination. */
export function deleteSurplus(): DeletionStep {
  let last = '';
  return async ({ queries, maxRows }) => {
    const found = await deleteSurplusDeliveries(queries, last, maxRows);
    if (!found) return undefined;
    if (found.deliveries < maxRows) last = found.destination;
    return { deliveries: found.deliveries };
  };
}
