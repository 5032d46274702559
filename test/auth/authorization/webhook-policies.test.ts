import { describe, expect, test } from 'vitest';

import { type Authorizer, noTarget, type Question } from '#auth/authorization/authorizer.ts';
import {
  callerIn,
  createOf,
  makePolicyFolder,
  type OpenedAuthorizer,
  openPolicyDir,
} from '../policy-folder.ts';

const ann = callerIn(['team-a']);
const origin = 'https://hooks.example.com';

type WebhookAction = 'CreateWebhookEndpoint' | 'ReadWebhookEndpoint' | 'ChangeWebhookEndpoint';

/** A question about an endpoint of the caller, unless something else is given. */
const endpointOf = (action: WebhookAction, given = { origin }, isOwn = true): Question => ({
  action,
  resource: { target: noTarget, webhookEndpoint: { id: 'an-endpoint', ...given } },
  context: { isOwn },
});

async function under(text: string, act: (opened: OpenedAuthorizer) => void): Promise<void> {
  using folder = makePolicyFolder({ 'a.cedar': text });
  await using opened = await openPolicyDir(folder.path);
  act(opened);
}

const decisionsFor = ({ ask }: OpenedAuthorizer, action: WebhookAction, origins: string[]) =>
  origins.map((each) => ask(ann, endpointOf(action, { origin: each })).isPermitted);

describe('policies about webhook endpoints', () => {
  test.each([
    'resource == WebhookEndpoint::"https://hooks.example.com"',
    'resource is WebhookEndpoint) when { resource.name == "https://hooks.example.com" }; forbid(principal, action == Action::"CreateExportTask", resource',
  ])('permit an origin, and no other one: %s', (scope) =>
    under(`permit(principal, action == Action::"CreateWebhookEndpoint", ${scope});`, (opened) => {
      const origins = [origin, `${origin}.evil.example`, 'https://other.example.com', origin, ''];

      expect(decisionsFor(opened, 'CreateWebhookEndpoint', origins)).toEqual([
        true,
        false,
        false,
        true,
        false,
      ]);
    }),
  );

  test('let callers use their own endpoints without a policy, and create none', () =>
    under('permit(principal, action == Action::"ReadTarget", resource);', ({ ask }) => {
      const own = { isPermitted: true, policies: ['own-export-jobs'] };

      expect(ask(ann, endpointOf('ReadWebhookEndpoint'))).toEqual(own);
      expect(ask(ann, endpointOf('ChangeWebhookEndpoint'))).toEqual(own);
      expect(ask(ann, endpointOf('CreateWebhookEndpoint')).isPermitted).toBe(false);
      expect(ask(ann, endpointOf('ReadWebhookEndpoint', { origin }, false)).isPermitted).toBe(
        false,
      );
    }));

  test('of the group webhooks permit all three actions, and no export', () =>
    under('permit(principal, action in Action::"webhooks", resource);', ({ ask }) => {
      expect(ask(ann, endpointOf('CreateWebhookEndpoint')).isPermitted).toBe(true);
      expect(ask(ann, createOf()).isPermitted).toBe(false);
    }));

  // Written before there were endpoints: with them in these groups, Cedar would refuse the files.
  test.each([
    'permit(principal, action in Action::"create", resource) when { resource.name like "/team-a/*" && context.destination == "team-a-logs" };',
    'permit(principal, action in Action::"read", resource) when { resource.account == "123456789012" };',
    'permit(principal, action, resource) when { resource.name like "/team-a/*" && resource.region == "eu-west-1" };',
  ])('do not make an earlier policy invalid, and are not permitted by it: %s', (text) =>
    under(text, (opened) => {
      expect(opened.log).toEqual([]);
      expect(decisionsFor(opened, 'CreateWebhookEndpoint', [origin, ''])).toEqual([false, false]);
    }),
  );

  test('are in the audit with the endpoint and its origin', () =>
    under('permit(principal, action in Action::"webhooks", resource);', ({ ask, audit }) => {
      ask(ann, endpointOf('ChangeWebhookEndpoint'));

      expect(audit).toMatchObject([
        {
          action: 'ChangeWebhookEndpoint',
          decision: 'permit',
          target: '*',
          webhookEndpointId: 'an-endpoint',
          webhookOrigin: origin,
        },
      ]);
    }));

  test('name the origin in a refusal, and no target', () =>
    under('permit(principal, action == Action::"ReadTarget", resource);', (opened) => {
      const authorizer: Authorizer = opened.authorizer;
      const refused = () =>
        authorizer.require({ principal: ann, id: 'r-1' }, endpointOf('CreateWebhookEndpoint'));

      expect(refused).toThrow(
        /CreateWebhookEndpoint with origin "https:\/\/hooks\.example\.com"\./,
      );
    }));
});
