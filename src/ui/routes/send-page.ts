import type { FastifyReply, FastifyRequest } from 'fastify';

import { anonymous } from '#auth/principal.ts';
import type { Assets } from '../assets/read-assets.ts';
import { renderPage, type UiPage, uiHeaders } from '../html/layout.ts';
import { formTokenOf, readSession } from '../session/session.ts';

/** Answers a request with a page. */
export type SendPage = (request: FastifyRequest, reply: FastifyReply, page: UiPage) => never;

/** Makes `SendPage`. */
export function makeSendPage(options: {
  assets: Assets;
  basePath: string;
  hasJobs: boolean;
}): SendPage {
  const { assets, basePath, hasJobs } = options;
  const urlOf = (name: keyof Assets) => `${basePath}/ui/assets/${name}?v=${assets[name].version}`;
  const urls = { css: urlOf('ui.css'), js: urlOf('ui.js') };
  return ({ principal, raw }, reply, page) => {
    const session = readSession(raw);
    const isKnown = principal !== undefined && principal !== anonymous;
    const frame = {
      basePath,
      assets: urls,
      hasJobs,
      caller: isKnown ? principal.id : undefined,
      signOutToken: isKnown && session?.credential ? formTokenOf(session) : undefined,
    };
    return reply.headers(uiHeaders).send(renderPage(frame, page)) as never;
  };
}
