import { Type } from '@sinclair/typebox';

import { QueueProblem } from '#targets/target.ts';
import { DateTime } from '#time/date-time.ts';

/** The position of a job in the queue of its target, in answers. */
export const QueuePosition = Type.Object(
  {
    position: Type.Integer({
      minimum: 1,
      description: 'Position of the next waiting slice of this job. 1 means that it starts next.',
    }),
    estimatedStartAt: Type.Optional(
      DateTime(
        'Estimated start of the next waiting slice. Absent while `problem` is present, and if there is no recent export at the target from which to estimate.',
      ),
    ),
    estimatedEndAt: Type.Optional(
      DateTime(
        'Estimated end of the last waiting slice. Absent while `problem` is present, and if there is no recent export at the target from which to estimate.',
      ),
    ),
    problem: Type.Optional(QueueProblem),
  },
  {
    title: 'QueuePosition',
    description:
      'Position of the job in the queue of the target. Present if the job has waiting slices. Absent in GET /export-jobs. Estimates use the durations of recent exports.',
  },
);
