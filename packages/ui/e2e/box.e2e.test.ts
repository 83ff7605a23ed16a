/**
 * The whole product through its console: a service is created in the form, becomes healthy, writes a
 * log that is read live, is scaled and deleted. Uses the box at DCOS_URL, or starts one.
 */
import {
  browserNote,
  browserPath,
  ensureBuilt,
  launchBrowser,
  openPage,
  startBoxProcess,
  temporaryDirectory,
} from '@dcos/testkit';
import type { BoxProcess, TemporaryDirectory } from '@dcos/testkit';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** A web server of Node's own, so that nothing else has to be installed. */
const COMMAND = [
  `${process.execPath} -e "`,
  "require('http').createServer((request, response) => {",
  "console.log('hello from the service ' + request.url); response.end('ok')",
  "}).listen(process.env.PORT0, () => console.log('listening on ' + process.env.PORT0))",
  '"',
].join('');

const PATIENCE_MS = 30_000;

describe.skipIf(browserPath === undefined)(`box in the browser${browserNote}`, () => {
  let browser: Browser;
  let page: Page;
  let errors: readonly string[];
  let url: string;
  let box: BoxProcess | undefined;
  let directory: TemporaryDirectory | undefined;

  beforeAll(async () => {
    ensureBuilt();
    const given = process.env['DCOS_URL'];
    if (given === undefined) {
      directory = temporaryDirectory('ui-box');
      box = await startBoxProcess(directory.path);
    }
    url = given ?? box?.ready.url ?? '';
    browser = await launchBrowser();
    ({ page, errors } = await openPage(browser, `${url}/`));
    page.setDefaultTimeout(PATIENCE_MS);
  });

  afterAll(async () => {
    await browser?.close();
    await box?.stop('SIGINT');
    directory?.remove();
  });

  test('the dashboard shows the nodes of the box', async () => {
    await page.getByRole('heading', { name: 'Cluster map' }).waitFor();
    await expect
      .poll(() => page.locator('.map-node').count(), { timeout: PATIENCE_MS })
      .toBeGreaterThan(0);
    await page.locator('.live[data-state="open"]').waitFor();
  });

  test('a service is created in the form', async () => {
    await page.getByRole('link', { name: 'Run a service' }).first().click();
    await page.getByLabel('Service id').fill('/e2e/web');
    await page.getByLabel('Command').fill(COMMAND);
    await page.getByRole('tab', { name: 'Health checks' }).click();
    await page.getByRole('button', { name: 'Add health check' }).click();
    await page.getByLabel('Interval in s').fill('1');
    await page.getByRole('button', { name: 'Run service' }).click();
    await page.getByRole('heading', { name: 'web', exact: true }).waitFor();
  });

  test('it becomes healthy, without a reload', async () => {
    const row = page.getByRole('table', { name: 'Instances' }).getByRole('row').nth(1);
    await row.getByText('Running').waitFor();
    await row.getByText('Healthy').waitFor();
    await page.locator('.page-heading').getByText('Running').waitFor();
  });

  test('its log is read, live', async () => {
    await page.getByRole('link', { name: 'Logs' }).click();
    await page.getByRole('log').getByText('listening on').waitFor();
    await page.getByRole('log').getByText('hello from the service /').first().waitFor();
    await page.getByText('Live', { exact: true }).last().waitFor();
  });

  test('it is scaled', async () => {
    await page.getByRole('button', { name: 'Scale' }).click();
    await page.getByLabel('Instances').fill('2');
    await page.getByRole('dialog').getByRole('button', { name: 'Scale' }).click();
    await page.getByRole('link', { name: /^Instances/ }).click();
    await page.getByText('2 of 2').waitFor();
    await expect
      .poll(() => page.getByRole('table', { name: 'Instances' }).getByText('Healthy').count(), {
        timeout: PATIENCE_MS,
      })
      .toBeGreaterThanOrEqual(2);
  });

  test('a service that cannot be placed says which resource turned down the offers', async () => {
    await page.goto(`${url}/create`);
    const json = page.getByRole('textbox', { name: 'Definition as JSON' });
    await json.fill('{"id": "/e2e/huge", "cmd": "sleep 1000", "cpus": 100000, "mem": 32}');
    await page.getByRole('button', { name: 'Run service' }).click();
    await page
      .getByText(/cpus.* turned down \d+ of \d+ offers?/)
      .first()
      .waitFor();
    await page.goto(`${url}/services?group=%2Fe2e`);
    await page.getByRole('row', { name: /huge/ }).getByText('Waiting').waitFor();
    await deleteService('huge');
  });

  test('it is deleted', async () => {
    await deleteService('web');
    expect(errors).toEqual([]);
  });

  async function deleteService(name: string): Promise<void> {
    await page.goto(`${url}/services/detail/${encodeURIComponent(`/e2e/${name}`)}`);
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByLabel(`Type ${name} to confirm`).fill(name);
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.goto(`${url}/services/detail/${encodeURIComponent(`/e2e/${name}`)}`);
    await page.getByText('does not exist').waitFor();
  }
});
