/**
 * The console in a real browser against the fixture cluster: what operators rely on (reasons, live
 * changes, keyboard, form and JSON), and what must hold on every page (accessibility, no layout jump,
 * the size of the first view).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserNote, browserPath, ensureBuilt, launchBrowser, openPage } from '@dcos/testkit';
import { emptyCluster, largeCluster } from './fixture-scenarios.ts';
import { startFixtureServer } from './fixture-server.ts';
import type { FixtureServer } from './fixture-server.ts';

const detail = (appId: string, query = ''): string =>
  `/services/detail/${encodeURIComponent(appId)}${query}`;

const PAGES: readonly (readonly [string, string, string])[] = [
  ['dashboard', '/dashboard', 'Cluster map'],
  ['services', '/services', 'webserver'],
  ['search', '/services?q=is%3Awaiting', 'webserver'],
  ['instances', detail('/shop/web'), 'Healthy'],
  ['waiting service', detail('/webserver'), 'turned down 12 of 12 offers'],
  ['debug', detail('/training', '?tab=debug'), 'no offer got here'],
  ['logs', detail('/shop/web', '?tab=logs'), 'GET /cart'],
  ['files', detail('/shop/web', '?tab=logs&file=files'), 'drwxr-xr-x'],
  ['configuration', detail('/shop/web', '?tab=configuration'), 'Apply this version'],
  ['create', '/create', '"instances"'],
  ['nodes', '/nodes', 'node-01.dc1'],
  ['node map', '/nodes?view=map', 'node-01.dc1'],
  ['node', '/nodes/5f2c9a14-0c1e-4a57-9d43-7b6b7a1d2f10-S1', 'node-02.dc1'],
  ['deployments', '/deployments', 'Roll back'],
  ['incidents', '/incidents', 'it did not answer 5 pings'],
  ['missing service', detail('/nope'), 'does not exist'],
  ['missing page', '/no/such/page', 'There is no such page'],
];

const FIRST_VIEW_BYTES_MAX = 250 * 1024;
/** Google's bound for a good page is 0.1; a page that keeps its places stays far below. */
const LAYOUT_SHIFT_MAX = 0.02;

const require = createRequire(import.meta.url);

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.addScriptTag({ content: readFileSync(require.resolve('axe-core'), 'utf8') });
  const tags = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']";
  const violations: readonly Violation[] = await page.evaluate(
    `axe.run(document, { runOnly: ${tags} }).then((result) => result.violations)`,
  );
  return violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.html.slice(0, 160)}`),
  );
}

describe.skipIf(browserPath === undefined)(`console${browserNote}`, () => {
  let browser: Browser;
  let server: FixtureServer;

  beforeAll(async () => {
    ensureBuilt();
    browser = await launchBrowser();
    server = await startFixtureServer();
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  describe.each(['dark', 'light'] as const)('%s', (colorScheme) => {
    test.each(PAGES)('%s: accessible, without errors', async (_name, path, text) => {
      const { page, errors } = await openPage(browser, server.url + path, { colorScheme });
      await page.getByText(text).first().waitFor();
      expect(await violationsOf(page)).toEqual([]);
      expect(errors).toEqual([]);
      await page.context().close();
    });
  });

  test.each(['/dashboard', '/services', detail('/webserver'), '/nodes'])(
    '%s: nothing jumps while data comes in',
    async (path) => {
      const { page } = await openPage(browser, 'about:blank');
      await page.addInitScript(
        `window.shift = 0;
         new PerformanceObserver((list) => {
           for (const entry of list.getEntries()) window.shift += entry.value;
         }).observe({ type: 'layout-shift', buffered: true });`,
      );
      await page.goto(server.url + path);
      await page.waitForLoadState('load');
      await page.getByText('Live').first().waitFor();
      await page.locator('.table, .map').first().waitFor();
      expect(await page.evaluate('window.shift')).toBeLessThan(LAYOUT_SHIFT_MAX);
      await page.context().close();
    },
  );

  test.each(PAGES)('%s: fits on a phone, with its title in sight', async (_name, path, text) => {
    const { page } = await openPage(browser, server.url + path, { width: 390 });
    await page.getByText(text).first().waitFor({ state: 'attached' });
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
    const cut = `(() => {
      const title = document.querySelector('h1');
      return title === null ? 0 : title.scrollWidth - title.clientWidth;
    })()`;
    expect(await page.evaluate(cut)).toBeLessThanOrEqual(1);
    await page.context().close();
  });

  test('the first view is small', async () => {
    const { page } = await openPage(browser, 'about:blank');
    // What is loaded ahead for later waits for a timer of the page; on a slow machine that one could run
    // out before the view is there.
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    const bodies: Promise<number>[] = [];
    page.on('response', (response) => {
      const isAsset = /\/assets\/|\/dashboard$/.test(response.url());
      if (isAsset) bodies.push(response.body().then((body) => gzipSync(body).length));
    });
    await page.goto(`${server.url}/dashboard`);
    await page.getByText('Cluster map').waitFor();
    await page.locator('canvas').first().waitFor();
    const sizes = await Promise.all(bodies);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(FIRST_VIEW_BYTES_MAX);
    await page.context().close();
  });

  test('a service that cannot be placed says why, on the list and on its page', async () => {
    const { page } = await openPage(browser, `${server.url}/services`);
    const row = page.getByRole('row', { name: /webserver/ });
    await row.getByText('Waiting').waitFor();
    await row.getByText('hostname UNIQUE turned down 12 of 12 offers').waitFor();
    await row.getByRole('link', { name: 'webserver' }).click();
    await page
      .getByRole('status')
      .getByText('hostname UNIQUE turned down 12 of 12 offers')
      .waitFor();
    await page.getByRole('button', { name: 'Show offers' }).click();
    await page.getByRole('table', { name: 'Last unused offers' }).waitFor();
    expect(await page.getByText('✕ refused').count()).toBeGreaterThan(0);
    await page.context().close();
  });

  test('search and filters live in the address', async () => {
    const { page } = await openPage(browser, `${server.url}/services`);
    await page.getByRole('button', { name: /^Waiting/ }).click();
    await page.getByRole('link', { name: '/training' }).waitFor();
    expect(page.url()).toContain('q=is%3Awaiting');
    await page.reload();
    await page.getByRole('link', { name: '/training' }).waitFor();
    await page.getByLabel('Search services').fill('nothing-like-this');
    await page.getByRole('button', { name: 'Show all services' }).click();
    await page.getByRole('link', { name: 'oinker' }).waitFor();
    await page.context().close();
  });

  test('keyboard: sequences, palette, help', async () => {
    const { page } = await openPage(browser, `${server.url}/dashboard`);
    await page.getByText('Cluster map').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('scale oink');
    await page.getByRole('option', { name: 'Scale /oinker' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Scale oinker' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Scale oinker' }).waitFor({ state: 'detached' });
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Help' }).waitFor();
    await page.context().close();
  });

  test('keyboard: a letter right after the keys of the palette is no shortcut', async () => {
    const { page } = await openPage(browser, `${server.url}/dashboard`);
    await page.getByText('Cluster map').waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.press('c');
    await page.getByRole('combobox').waitFor();
    expect(new URL(page.url()).pathname).toBe('/dashboard');
    await page.context().close();
  });

  test('a change from elsewhere shows without a reload', async () => {
    const { page } = await openPage(browser, server.url + detail('/oinker'));
    await page.getByText('3 of 3').waitFor();
    await page.getByText('Live').first().waitFor();
    server.cluster.update('/oinker', { instances: 5 });
    await page.getByText('5 of 5').waitFor();
    server.cluster.update('/oinker', { instances: 3 });
    await page.getByText('3 of 3').waitFor();
    await page.context().close();
  });

  test('incidents: what was lost, page by page, by period, and as it happens', async () => {
    const lively = await startFixtureServer();
    const { page } = await openPage(browser, `${lively.url}/dashboard`);
    await page.getByText('Cluster map').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('i');
    const list = page.getByRole('list', { name: 'Incidents' });
    const cards = list.locator(':scope > li');
    await expect.poll(() => cards.count()).toBe(50);
    await page.getByText('12 affected tasks').click();
    await page.getByText('shop_web.2').waitFor();
    await page.getByText('and 9 more').waitFor();
    await page.getByRole('button', { name: 'Show older' }).click();
    await expect.poll(() => cards.count()).toBe(60);
    await page.getByRole('link', { name: 'Last hour' }).click();
    await expect.poll(() => cards.count()).toBe(3);
    expect(page.url()).toContain('period=hour');
    const summary = 'Agent node-03.dc1 is away: its connection broke.';
    lively.cluster.incidents.add({ kind: 'AGENT_LOST', node: 2, minutesAgo: 0, summary });
    await page.getByRole('heading', { name: summary }).waitFor();
    await page.context().close();
    await lively.close();
  });

  test('form and JSON are one document; unknown members survive', async () => {
    const { page } = await openPage(browser, `${server.url}/create`);
    const json = page.getByRole('textbox', { name: 'Definition as JSON' });
    await json.waitFor();
    await page.getByLabel('Service id').fill('/demo/web');
    await json.getByText('"/demo/web"').waitFor();
    await json.fill('{"id": "/demo/web", "x-team": {"pager": 7}, "cpus": 0.2, "instances": 3}');
    await expect.poll(() => page.getByLabel('Instances').inputValue()).toBe('3');
    await page.getByLabel('Instances').fill('4');
    await expect.poll(async () => await json.innerText()).toMatch(/"pager": 7[^]*"instances": 4/);
    await json.fill('{"id": ');
    await page.getByText('The JSON cannot be read').waitFor();
    expect(await page.getByRole('button', { name: 'Run service' }).isDisabled()).toBe(true);
    expect(await page.getByLabel('Instances').inputValue()).toBe('4');
    await page.context().close();
  });

  test("the server's faults stand at their fields and on the tabs", async () => {
    const { page } = await openPage(browser, `${server.url}/create`);
    await page.getByLabel('CPU').fill('0');
    await page.getByRole('button', { name: 'Run service' }).click();
    await page.getByText('The server refused the definition').waitFor();
    await page.getByText('Too small.').first().waitFor();
    await page.getByRole('tab', { name: /General 2/ }).waitFor();
    await page.context().close();
  });

  test('deleting wants the name typed', async () => {
    const { page } = await openPage(browser, server.url + detail('/reports'));
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    const confirm = page.getByRole('button', { name: 'Delete', exact: true });
    expect(await confirm.isDisabled()).toBe(true);
    await page.getByLabel('Type reports to confirm').fill('reports');
    await confirm.click();
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'reports' }).count()).toBe(0);
    await page.context().close();
  });

  test('ten thousand services: only the visible rows are drawn, search finds one', async () => {
    const large = await startFixtureServer(largeCluster(10_000));
    const { page } = await openPage(browser, `${large.url}/services`);
    await page.getByRole('link', { name: 'app-0', exact: true }).waitFor();
    expect(await page.getByRole('row').count()).toBeLessThan(100);
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe('10001');
    await page.getByLabel('Search services').fill('app-9876');
    await page.getByRole('link', { name: '/app-9876', exact: true }).waitFor();
    await page.context().close();
    await large.close();
  });

  test('an empty cluster explains what to do', async () => {
    const empty = await startFixtureServer(emptyCluster());
    const { page } = await openPage(browser, `${empty.url}/services`);
    await page.getByText('No service runs yet').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.goto(`${empty.url}/deployments`);
    await page.getByText('Nothing is being deployed').waitFor();
    await page.goto(`${empty.url}/incidents`);
    await page.getByText('Nothing was lost').waitFor();
    await page.context().close();
    await empty.close();
  });

  test('a cluster that does not answer is said so, over the page', async () => {
    const mortal = await startFixtureServer();
    const { page } = await openPage(browser, `${mortal.url}/services`);
    await page.getByRole('link', { name: 'oinker' }).waitFor();
    await mortal.close();
    await page.getByRole('alert').getByText('The cluster has not answered').waitFor();
    await page.getByRole('link', { name: 'oinker' }).waitFor();
    await page.context().close();
  });
});
