import { Type } from '@sinclair/typebox';

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
// As in the header baggage: values are percent-encoded.
const namesAndValues = '^[^\\s=,]+=[^\\s,]*(?:,[^\\s=,]+=[^\\s,]*)*$';
const receiver = (description: string) =>
  Type.Optional(
    Type.String({
      pattern: String.raw`^https?://[^\s?#]+$`,
      description,
      'x-rule': 'a URL such as http://127.0.0.1:4318',
      'x-secret': true, // it may have a password
    }),
  );

/** The variables of OpenTelemetry. Its SDK reads some of them itself; here, they are checked. */
export const otelVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver(
    'URL of a receiver of traces, to which `/v1/traces` is added. Default: no traces are made.',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver(
    'URL of a receiver of traces with its whole path, instead of OTEL_EXPORTER_OTLP_ENDPOINT.',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: Type.Optional(
    Type.String({
      pattern: namesAndValues,
      description: 'Headers for the receiver of traces, separated by commas.',
      'x-rule': 'names and percent-encoded values such as api-key=secret, separated by commas',
      'x-secret': true,
    }),
  ),
  OTEL_EXPORTER_OTLP_TIMEOUT: Type.Integer({
    minimum: 1,
    maximum: 60_000,
    default: 10_000,
    description: 'Milliseconds to send a batch of spans, with all retries. Then it is dropped.',
    'x-rule': 'a whole number of milliseconds from 1 to 60000',
  }),
  OTEL_TRACES_SAMPLER: Type.Unsafe<(typeof samplers)[number]>({
    type: 'string',
    enum: samplers,
    default: 'parentbased_always_on',
    description:
      'Rule that selects the traces to record. Samplers that begin with `parentbased_` follow the `traceparent` of the caller.',
    'x-rule': `one of ${samplers.join(', ')}`,
  }),
  OTEL_TRACES_SAMPLER_ARG: Type.String({
    pattern: String.raw`^(?:0(?:\.[0-9]{1,9})?|1(?:\.0{1,9})?)$`,
    default: '1',
    description: 'For samplers with `traceidratio`: the share of new traces that is recorded.',
    'x-rule': 'a number from 0 to 1 such as 0.1',
  }),
  OTEL_SERVICE_NAME: Type.String({
    minLength: 1,
    maxLength: 255,
    default: 'log-export-gateway',
    description: 'Name of this service in traces.',
    'x-rule': 'a name of 1 to 255 characters',
  }),
  OTEL_RESOURCE_ATTRIBUTES: Type.Optional(
    Type.String({
      pattern: namesAndValues,
      description:
        'Attributes of this process in traces, such as `deployment.environment.name=test`.',
      'x-rule':
        'names and percent-encoded values such as deployment.environment.name=test, separated by commas',
    }),
  ),
  OTEL_SDK_DISABLED: Type.Boolean({
    default: false,
    description: 'Whether traces are turned off, even if a receiver is set.',
    'x-rule': 'true or false',
  }),
};
