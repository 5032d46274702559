import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Action } from '#auth/authorization/action.ts';
import type { AskedOperation, WireOperation } from '../protocol/operations.ts';
import { toWireBody, wireMediaType } from '../protocol/wire-body.ts';
import type { FindTarget } from '../target/find-target.ts';

/** A request of an authenticated caller for an operation. */
interface WireCall {
  request: FastifyRequest;
  reply: FastifyReply;
  /** The name of the target of the request. */
  target: string;
  /** The JSON text of the parameters; empty if there is no body. */
  body: Buffer;
}

/** An operation of AWS. */
export interface OperationRoute {
  operation: WireOperation;
  /** The action that the caller must be able to do at the target. Its kind decides on limits and overload. */
  action: Action;
  /** Whether copies of an accepted request do nothing. Default: false. */
  isOnce?: boolean;
  /** Whether it is a list that costs as much as a create. Default: false. */
  isCostlyList?: boolean;
  findTarget: FindTarget;
  /** The most time for the answer, in milliseconds. Default: that of the server. */
  handlerTimeout?: number;
  /** Returns the members of the answer; undefined for an answer without a body. */
  handler: (call: WireCall) => Promise<object | undefined>;
}

/** The paths of the endpoint. Some SDKs add a slash, and that for Dart does so after a slash, too. */
const paths = ['/', '/aws/:target', '/aws/:target/', '/aws/:target//'];

/** Registers an operation at every path of the endpoint. Its errors are in the words of AWS. */
export function addOperation(app: FastifyInstance, route: OperationRoute): void {
  const { operation, action, findTarget, handlerTimeout, handler } = route;
  const { isOnce = false, isCostlyList = false } = route;
  for (const url of paths) {
    app.route<{ Params: { target?: string } }>({
      method: 'POST',
      url,
      constraints: constraintOf(operation),
      ...(handlerTimeout !== undefined && { handlerTimeout }),
      // The paths belong to this protocol alone: other clients are answered as if it were not there.
      config: { action, isOnce, isCostlyList, isSigned: true, isFallback: true },
      async handler(request, reply) {
        const region = request.signed?.region ?? '';
        const name = request.params.target;
        const target = findTarget(request, { name, region, operation, action });
        const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0);
        const answer = await handler({ request, reply, target, body });
        reply.type(wireMediaType);
        return reply.send(answer === undefined ? Buffer.alloc(0) : toWireBody(answer));
      },
    });
  }
}

/** Registers the answer to every other operation. It is the same for all, so it needs no credentials. */
export function addUnknownOperation(
  app: FastifyInstance,
  refuse: (request: FastifyRequest) => Error,
): void {
  for (const url of paths) {
    app.route({
      method: 'POST',
      url,
      constraints: constraintOf('unknown'),
      config: { isFallback: true },
      // The refusal is the same for every caller, so the body is not read.
      onRequest: (request, _reply, done) => done(refuse(request)),
      handler: () => {},
    });
  }
}

/** The name of the route constraint. The router makes JavaScript of it. */
export const operationConstraint = 'wireOperation';

const constraintOf = (operation: AskedOperation) => ({ [operationConstraint]: operation });
