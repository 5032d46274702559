import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import chromium from '@sparticuz/chromium';
import {
  type Browser,
  type BrowserContextOptions,
  chromium as driver,
  type Page,
} from 'playwright-core';

// The package's flags for serverless functions are too lenient: these tests are about what a normal
// browser refuses.
const lenient = ['--disable-web-security', '--allow-running-insecure-content'];
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

// Ends a test that hangs; a browser is slow on a busy machine.
const patienceMs = 300_000;

/** A headless browser from npm packages, independent of the machine. */
export interface TestBrowser extends AsyncDisposable {
  /** Opens a page that records its errors and its requests. */
  open(options?: BrowserContextOptions): Promise<WatchedPage>;
}

/** A page with the records of its errors and requests. */
export interface WatchedPage {
  page: Page;
  /** Errors of the console and of scripts, and violations of the Content-Security-Policy. */
  complaints: string[];
  /** Every requested URL, including `data:` URLs. */
  requests: string[];
  /** Writes a screenshot of the page, or of a selected element, to test-results/. */
  picture(name: string, selector?: string): Promise<void>;
}

/** Starts the browser, with a directory of its own. */
export async function openBrowser(): Promise<TestBrowser> {
  const directory = mkdtempSync(join(tmpdir(), 'browser-'));
  const executablePath = await unpackBrowser();
  process.env.TMPDIR = directory;
  chromium.setGraphicsMode = false;
  const browser: Browser = await driver.launch({
    timeout: patienceMs,
    executablePath,
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

/** Unpacks the browser within its package. It takes seconds, so it is done once. Returns its path. */
async function unpackBrowser(): Promise<string> {
  const packed = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const unpacked = join(dirname(packed), 'unpacked');
  if (!existsSync(unpacked)) {
    const unfinished = mkdtempSync(`${unpacked}-`);
    process.env.TMPDIR = unfinished; // the package unpacks here
    await chromium.executablePath();
    try {
      renameSync(unfinished, unpacked);
    } catch {
      rmSync(unfinished, { recursive: true }); // another test file was faster
    }
  }
  return join(unpacked, 'chromium');
}
