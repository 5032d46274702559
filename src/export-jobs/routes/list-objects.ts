import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { NextCursor } from '#paging/page.ts';
import { awsCallProblems } from '#problems/problems-of-operation.ts';
import type { JobAccess } from '../access/job-access.ts';
import { JobParams } from '../export-job.ts';
import {
  ExportedObject,
  type ListObjects,
  ObjectListQuery,
} from '../operations/list-objects-of-job.ts';
import { exampleJob } from '../presenters/example-jobs.ts';

const exampleObject = {
  slice: 0,
  attempt: 1,
  key: `checkout/2024-05-01/${exampleJob.id}/1/a2f6d913-07c4-4e8b-b5a1-6e1d84f0c327/web-1/000000.gz`,
  size: 5_804,
  etag: '5eb63bbbe01eeed093cb22bb8f5acdc3',
  lastModified: '2024-05-04T08:02:01.000Z',
};

/** Lists the objects of an export job, slice by slice. */
export const listObjects: FastifyPluginAsyncTypebox<{
  access: JobAccess;
  list: ListObjects;
}> = async (app, { access, list }) => {
  app.route({
    method: 'GET',
    url: '/export-jobs/:jobId/objects',
    schema: {
      operationId: 'listObjects',
      tags: ['export-jobs'],
      summary: 'List the objects of an export job',
      description:
        'Returns the objects of the completed slices of a job, as S3 lists them now. They are ordered by slice and key. A page has objects of one slice, so it can have fewer than `limit`, or none, although others follow. The list ends when `nextCursor` is absent. The service role needs `s3:ListBucket`.',
      params: JobParams,
      querystring: ObjectListQuery,
      response: {
        200: Type.Object(
          {
            objects: Type.Array(ExportedObject, { description: 'The objects of this page.' }),
            nextCursor: NextCursor,
          },
          {
            title: 'ExportedObjectPage',
            description: 'A page of exported objects.',
            examples: [{ objects: [exampleObject] }],
          },
        ),
      },
    },
    config: {
      action: 'ReadExportJob',
      problems: [
        ...awsCallProblems,
        'aws-timeout',
        'destination-not-found',
        'export-job-not-found',
        'export-job-deleted',
        'database-unavailable',
      ],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request) => {
      const { head } = await access.find(request, 'ReadExportJob', request.params.jobId);
      const { entries: objects, ...page } = await list(request, head, request.query);
      return { objects, ...page };
    },
  });
};
