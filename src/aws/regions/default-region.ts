import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS } from '@smithy/core/config';

/**
 * Reads the Region of the environment as AWS tools do: AWS_REGION, AWS_DEFAULT_REGION, then the profile. Returns
 * `us-east-1` if none of them has one.
 */
export const readDefaultRegion = (): Promise<string> =>
  loadConfig(
    {
      // The SDK knows only the first variable. An empty one counts as absent.
      environmentVariableSelector: (env) => env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined,
      configFileSelector: ({ region }) => region || undefined,
      default: 'us-east-1',
    },
    NODE_REGION_CONFIG_FILE_OPTIONS,
  )();
