import type {
  CreateExportTaskCommandInput,
  DescribeExportTasksCommandInput,
  ExportTask as SdkExportTask,
  ExportTaskStatusCode as SdkStatusCode,
} from '@aws-sdk/client-cloudwatch-logs';
import { ExportTaskStatusCode as SdkStatusCodes } from '@aws-sdk/client-cloudwatch-logs';
import { expect, expectTypeOf, test } from 'vitest';

import { type DescribeExportTasks, exportTaskStatusCodes } from '#aws/export-task.ts';
import { CreateExportTask } from '#export-tasks/create-export-task-body.ts';
import { ExportTask } from '#export-tasks/export-task.ts';

// This file does not compile when AWS adds a member or a status code, or when one is missing here.

type RequiredKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? never : K }[keyof T];

test('the body has the members of CreateExportTask, and the same ones are required', () => {
  expectTypeOf<keyof CreateExportTask>().toEqualTypeOf<keyof CreateExportTaskCommandInput>();
  expectTypeOf<RequiredKeys<CreateExportTask>>().toEqualTypeOf<
    RequiredKeys<CreateExportTaskCommandInput>
  >();

  expect(Object.keys(CreateExportTask.properties)).toEqual([
    'taskName',
    'logGroupName',
    'logStreamNamePrefix',
    'from',
    'to',
    'destination',
    'destinationPrefix',
  ]);
});

test('a task has the members of the SDK', () => {
  type Whole<T> = Required<{ [K in keyof T]: NonNullable<T[K]> }>;
  type Status = Whole<Whole<SdkExportTask>['status']>;
  type Info = Whole<Whole<SdkExportTask>['executionInfo']>;

  expectTypeOf<keyof ExportTask>().toEqualTypeOf<keyof SdkExportTask>();
  expectTypeOf<keyof NonNullable<ExportTask['status']>>().toEqualTypeOf<keyof Status>();
  expectTypeOf<keyof NonNullable<ExportTask['executionInfo']>>().toEqualTypeOf<keyof Info>();

  expect(Object.keys(ExportTask.properties)).toHaveLength(9);
});

test('a query has the members of DescribeExportTasks', () => {
  expectTypeOf<keyof DescribeExportTasks>().toEqualTypeOf<keyof DescribeExportTasksCommandInput>();
});

test('the status codes are those of the SDK', () => {
  expectTypeOf<(typeof exportTaskStatusCodes)[number]>().toEqualTypeOf<SdkStatusCode>();

  expect([...exportTaskStatusCodes].sort()).toEqual(Object.values(SdkStatusCodes).sort());
});
