import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import {
  type Browser,
  type BrowserContextOptions,
  chromium as driver,
  type Page,
} from 'playwright-core';

// As lenient as a serverless function needs it; a user's browser is not, and what it would refuse
// is what these tests are about.
const lenient = ['--disable-web-security', '--allow-running-insecure-content'];
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

// Ends what hangs; a browser on a busy machine takes its time.
const patienceMs = 300_000;

/** A headless browser that came with the packages; needs nothing of the machine. */
export interface TestBrowser extends AsyncDisposable {
  /** Opens a page that keeps a record of what went wrong in it and whom it asked. */
  open(options?: BrowserContextOptions): Promise<WatchedPage>;
}

/** A page, and everything it did since it was opened. */
export interface WatchedPage {
  page: Page;
  /** Errors of the console and of scripts, and breaches of the Content-Security-Policy. */
  complaints: string[];
  /** Every URL that was asked for, `data:` ones included. */
  requests: string[];
  /** Writes a picture of the whole page, or of what a selector names, to test-results/, for people. */
  picture(name: string, selector?: string): Promise<void>;
}

/** Unpacks the browser into a directory of its own, and starts it. */
export async function openBrowser(): Promise<TestBrowser> {
  const directory = mkdtempSync(join(tmpdir(), 'browser-'));
  process.env.TMPDIR = directory; // where the package unpacks to
  chromium.setGraphicsMode = false;
  const browser: Browser = await driver.launch({
    timeout: patienceMs,
    executablePath: await chromium.executablePath(),
    args: [...chromium.args.filter((flag) => !lenient.includes(flag)), ...quiet],
  });
  return {
    async open(options) {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 900 },
        ...options,
      });
      const page = await context.newPage();
      page.setDefaultTimeout(patienceMs);
      const complaints: string[] = [];
      const requests: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('request', (request) => requests.push(request.url()));
      return {
        page,
        complaints,
        requests,
        async picture(name, selector = 'html') {
          mkdirSync('test-results', { recursive: true });
          await page.locator(selector).screenshot({ path: `test-results/${name}.png` });
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
