import {
  defaultDestinationPrefix,
  testObjectName,
  withoutTrailingSlashes,
} from '#aws/destination-prefix.ts';

/**
 * The keys to which AWS may write its test object. It writes it beside its default prefix if a create
 * names none. Whether it keeps slashes at the end of a prefix is not documented.
 */
export function testKeys(prefix: string): [string, ...string[]] {
  const bare = withoutTrailingSlashes(prefix);
  return [
    `${prefix}/${testObjectName}`,
    ...(bare === prefix ? [] : [`${bare}/${testObjectName}`]),
    ...(bare === defaultDestinationPrefix ? [testObjectName] : []),
  ];
}

/** A key like those of the exported objects. */
export function sampleKey(prefix: string): string {
  const taskId = '00000000-0000-4000-8000-000000000000';
  return `${withoutTrailingSlashes(prefix)}/${taskId}/stream/000000.gz`;
}
