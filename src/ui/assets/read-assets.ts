import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A file that pages load. */
interface Asset {
  mediaType: string;
  text: string;
  /** A digest of the text: URLs carry it, so that browsers keep the file until it changes. */
  version: string;
}

/** The files that pages load. */
export interface Assets {
  'ui.css': Asset;
  'ui.js': Asset;
}

// Pages load one style sheet. A later part overrides an earlier one.
const styles = [
  'page',
  'bar',
  'forms',
  'values',
  'tables',
  'states',
  'pictures',
  'slice-grid',
  'partitions',
];

/** Reads the files that pages load. */
export function readAssets(): Assets {
  const style = styles.map((name) => readText(`styles/${name}.css`)).join('\n');
  return {
    'ui.css': toAsset(style, 'text/css; charset=utf-8'),
    'ui.js': toAsset(readText('ui.js'), 'text/javascript; charset=utf-8'),
  };
}

const readText = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

function toAsset(text: string, mediaType: string): Asset {
  const version = createHash('sha256').update(text).digest('base64url').slice(0, 16);
  return { mediaType, text, version };
}
