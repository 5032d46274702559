import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import type { ArchiveChanges } from '#archives/operations/change-archives.ts';
import { Reason } from '#archives/planning/definition/reason.ts';
import { ArchiveParams } from '#archives/presenters/archive-view.ts';
import { invalidRequest } from '#validation/violations.ts';
import type { archiveNotices } from '../../pages/archives/archive-page.ts';
import { readOwnForm } from '../../session/own-form.ts';

/** Pauses and resumes archives, as the buttons of their pages request it. */
export const changeArchivePage: FastifyPluginAsyncTypebox<{ changes: ArchiveChanges }> = async (
  app,
  { changes },
) => {
  const config = { action: 'ChangeArchive', timeoutProblem: 'database-unavailable' } as const;

  app.route({
    method: 'POST',
    url: '/ui/archives/:archiveId/pause',
    schema: { params: ArchiveParams },
    config,
    handler: async (request, reply) => {
      const { archiveId } = request.params;
      await changes.pause(request, archiveId, reasonIn(readOwnForm(request.raw, request.body)));
      return reply.redirect(pageAfter(request.basePath, archiveId, 'paused'), 303);
    },
  });

  app.route({
    method: 'POST',
    url: '/ui/archives/:archiveId/resume',
    schema: { params: ArchiveParams },
    config,
    handler: async (request, reply) => {
      const { archiveId } = request.params;
      await changes.resume(request, archiveId, reasonIn(readOwnForm(request.raw, request.body)));
      return reply.redirect(pageAfter(request.basePath, archiveId, 'resumed'), 303);
    },
  });
};

function reasonIn(form: URLSearchParams): string {
  const reason = form.get('reason')?.trim() ?? '';
  const { maxLength = 0, 'x-rule': rule } = Reason;
  const isValid = reason !== '' && reason.length <= maxLength && !/[\p{Cc}\p{Cs}]/u.test(reason);
  if (isValid) return reason;
  throw invalidRequest([{ in: 'body', pointer: '#/reason', detail: `reason must be ${rule}.` }]);
}

function pageAfter(
  basePath: string,
  archiveId: string,
  notice: keyof typeof archiveNotices,
): string {
  return `${basePath}/ui/archives/${encodeURIComponent(archiveId)}?notice=${notice}`;
}
