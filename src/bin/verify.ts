#!/usr/bin/env node
import { awsTimeouts } from '#aws/client/timeouts.ts';
import { openAws } from '#aws/regions/open-aws.ts';
import { readProxy, withProxyNames } from '#config/proxy.ts';
import { verifyManifest } from '#verify-manifest.ts';
import { exitWith } from './exit.ts';

const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
const proxyEnv = exitWith(() => readProxy(withProxyNames(process.env)));
const clocks = { now: Date.now, elapsed: () => performance.now() };
using aws = openAws({ timeouts: awsTimeouts, proxyEnv, ...clocks });

process.exitCode = await verifyManifest(process.argv.slice(2), {
  aws,
  defaultRegion: AWS_REGION ?? AWS_DEFAULT_REGION ?? 'us-east-1',
  write: (line) => void process.stdout.write(`${line}\n`),
});
