/** Chromium for suites that look at the console: found, started once, its pages watched for errors. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { workspaceRoot } from './box-process.ts';

const CANDIDATES: readonly string[] = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const ARGUMENTS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-proxy-server',
];

/** Path of an installed Chromium or Chrome, or undefined. */
export const browserPath = CANDIDATES.find((candidate) => existsSync(candidate));

/** Goes behind the name of a suite, so that the reason of a skip stands in the report. */
export const browserNote = browserPath === undefined ? ' (skipped: no Chromium is installed)' : '';

/** Starts a browser; throws when none is installed. */
export async function launchBrowser(): Promise<Browser> {
  if (browserPath === undefined) throw new Error('no Chromium is installed');
  // Loaded for those who use it only: it is large.
  const { chromium } = await import('playwright-core');
  return await chromium.launch({ executablePath: browserPath, args: [...ARGUMENTS] });
}

export interface OpenPageOptions {
  readonly colorScheme?: 'dark' | 'light';
  readonly width?: number;
}

export interface OpenedPage {
  readonly page: Page;
  /** Uncaught errors of the page so far. */
  readonly errors: readonly string[];
}

/** A page in a context of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  options: OpenPageOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: 900 },
    colorScheme: options.colorScheme ?? 'dark',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(url);
  return { page, errors };
}

const UI = join(workspaceRoot, 'packages', 'ui');

/** Builds the console when that has not been done. */
export function ensureBuilt(): void {
  if (existsSync(join(UI, 'dist', 'index.html'))) return;
  const vite = join(workspaceRoot, 'node_modules', 'vite', 'bin', 'vite.js');
  // The test's own environment would give a build for development, which is larger.
  execFileSync(process.execPath, [vite, 'build', UI], {
    cwd: workspaceRoot,
    stdio: 'pipe',
    env: { ...process.env, NODE_ENV: 'production' },
  });
}
