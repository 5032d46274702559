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

/** Reads the files that pages load. */
export function readAssets(): Assets {
  return {
    'ui.css': readAsset('ui.css', 'text/css; charset=utf-8'),
    'ui.js': readAsset('ui.js', 'text/javascript; charset=utf-8'),
  };
}

function readAsset(name: keyof Assets, mediaType: string): Asset {
  const text = readFileSync(new URL(name, import.meta.url), 'utf8');
  const version = createHash('sha256').update(text).digest('base64url').slice(0, 16);
  return { mediaType, text, version };
}
