import { describe, expect, test } from 'vitest';

import { openLine } from '../line.ts';

describe.each(['sqlite', 'postgres'] as const)('the dispatcher on %s', (home) => {
  test('exports every slice of a job, one at a time, each once', async () => {
    await using line = await openLine({ home });
    const jobId = await line.put({ slices: 5 });

    await line.runUntilDone();

    expect(await line.states(jobId)).toEqual(Array(5).fill('completed'));
    expect(line.calls('CreateExportTask')).toHaveLength(5);
    expect(line.emulator.exportTasks().map(({ status }) => status)).toEqual(
      Array(5).fill('COMPLETED'),
    );
  });
});
