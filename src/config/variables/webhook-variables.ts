import { onOrOff, origins } from './rules.ts';

/** The variables of webhook endpoints. */
export const webhookVariables = {
  WEBHOOKS: onOrOff(
    'on',
    'Whether callers can have webhook endpoints. With EXPORT_JOBS=off there are none.',
  ),
  WEBHOOK_ORIGINS: origins(
    'Origins that webhook endpoints may have although they are private, use plain HTTP or have another port, separated by commas. Default: none. Every other endpoint must use HTTPS, port 443 and a public address.',
    'https://hooks.internal.example.com',
  ),
};
