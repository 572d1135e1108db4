// node scenarios.mjs NAME ADDRESS [FOLDER]: one scenario in a real browser; the exit code says whether it held.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fits, schemes, tile, until, widths, withBrowser, withPage } from './harness.mjs';

const [, , name, address, folder] = process.argv;
const shots = process.env.DISTTRAIN_SCREENSHOTS;

async function shot(page, title, width, scheme) {
  if (shots) {
    await page.screenshot({ path: join(shots, `${title}-${width}-${scheme}.png`), fullPage: true });
  }
}

const drawn = page => page.locator('.plot canvas').count();
const stepOf = async page => Number(((await tile(page, 'step')) ?? '0').split(' of ')[0].replaceAll(',', ''));
const labels = page => page.locator('.plot').first().getAttribute('aria-label');

/** Presses a button by keyboard. */
async function press(page, button) {
  await page.getByRole('button', { name: button }).focus();
  await page.keyboard.press('Enter');
}

/** Goes to the actors of the run that is under way; the row of layer-1. */
async function openActors(page) {
  await until(() => stepOf(page).catch(() => 0), step => step > 0, 'steps are counted');
  await page.getByRole('link', { name: 'Actors' }).click();
  const row = page.getByRole('region', { name: 'Actors' }).locator('tbody tr', { has: page.locator('th', { hasText: /^layer-1$/ }) });
  await row.waitFor();
  await until(() => row.locator('td').nth(1).textContent(), text => text === '1', 'the actor lives');
  return row;
}

const scenarios = {
  /** A run under way: its curve moves, every page shows something, and a crashed actor comes back. */
  async live(browser) {
    await withPage(browser, { address }, async (page, { runEnds }) => {
      await until(() => page.locator('h1').textContent().catch(() => ''), text => text === 'run', 'the run that is under way is shown first');
      assert.ok(!page.url().includes('token'), 'the token has left the address bar');
      const first = await until(() => stepOf(page), step => step > 0, 'steps are counted');
      await until(() => drawn(page), count => count >= 3, 'curves are drawn');
      const before = await labels(page);
      await until(() => stepOf(page), step => step > first, 'the count of steps moves');
      await until(() => labels(page), text => text !== before, 'the loss curve moves');
      await shot(page, 'live-run', 1280, 'light');

      await page.getByRole('link', { name: 'Pipeline' }).click();
      await until(() => tile(page, 'bubble').catch(() => ''), text => /%/.test(text ?? ''), 'the bubble is measured');
      await page.locator('canvas.timeline').focus();
      await page.keyboard.press('ArrowRight');
      await until(() => page.locator('.told').textContent(), text => /layer|parameter-server/.test(text ?? ''), 'the chosen job is told');
      await until(() => page.locator('.bar-row').count(), count => count === 2, 'waits by lock are told of both layers');
      assert.match(await page.locator('.bar').first().getAttribute('aria-label'), /^layer-0: busy .* backward lock .* parameters/);
      await shot(page, 'live-pipeline', 1280, 'light');

      await page.getByRole('link', { name: 'Actors' }).click();
      await page.getByRole('heading', { name: 'run: actors' }).waitFor();
      const row = page.getByRole('region', { name: 'Actors' }).locator('tbody tr', { has: page.locator('th', { hasText: /^layer-1$/ }) });
      await row.waitFor();
      assert.equal(await row.locator('td').nth(1).textContent(), '1');
      for (const refused of ['Suspect coordinator', 'Cut 2 s layer-0 to layer-1']) {
        assert.ok(await page.getByRole('button', { name: refused }).isDisabled(), `${refused} is nothing that this engine does`);
      }
      await page.getByText("engine threads does not serve 'link' faults").waitFor();
      await press(page, 'Pause 2 s layer-1');
      await until(() => page.locator('.told').first().textContent(), text => text === 'pause: layer-1, at incarnation 1', 'the pause has begun');
      await press(page, 'Crash layer-1');
      await until(() => row.locator('td').nth(1).textContent(), text => Number(text) >= 2, 'the actor comes back with a new incarnation');
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Crash layer-1', 'the focus stays where it was');
      await shot(page, 'live-actors', 1280, 'light');
      await page.getByRole('link', { name: 'Run', exact: true }).click();
      await until(() => page.locator('.notices').textContent().catch(() => ''), text => /recovered/.test(text ?? ''), 'the recovery is told');
      runEnds();
    });
  },

  /** A worker is stopped and goes on, and its process is killed: on the engine processes. */
  async paused(browser) {
    await withPage(browser, { address }, async (page, { runEnds }) => {
      const row = await openActors(page);
      await until(() => row.locator('td').nth(0).textContent(), text => /^worker-\d, process \d+$/.test(text ?? ''), 'the process is told');
      const process = await row.locator('td').nth(0).textContent();
      await press(page, 'Pause 2 s layer-1');
      await until(() => page.locator('.told').first().textContent(), text => text === 'pause: layer-1, at incarnation 1', 'the pause has begun');
      assert.equal(await row.locator('td').nth(0).textContent(), process, 'a pause is no restart');
      assert.ok(await page.getByRole('button', { name: 'Slow 10× for 5 s layer-1' }).isDisabled());
      await press(page, 'Crash layer-1');
      await until(() => row.locator('td').nth(1).textContent(), text => Number(text) >= 2, 'the actor comes back with a new incarnation');
      assert.notEqual(await row.locator('td').nth(0).textContent(), process, 'in another process');
      await shot(page, 'live-actors-processes', 1280, 'light');
      await page.getByRole('link', { name: 'Run', exact: true }).click();
      await until(() => page.locator('.notices').textContent().catch(() => ''), text => /layer-1 is stopped for 2 s/.test(text ?? ''), 'the pause is told');
      runEnds();
    });
  },

  /** A link is cut and an actor slowed: on the simulated engine. */
  async cut(browser) {
    await withPage(browser, { address, width: 390, scheme: 'dark' }, async (page, { runEnds }) => {
      await openActors(page);
      await fits(page);
      const link = page.getByRole('region', { name: 'Links' }).locator('tbody tr', { has: page.locator('th', { hasText: /^layer-0$/ }) }).filter({ hasText: 'layer-1' });
      await link.waitFor();
      assert.equal(await link.locator('td').nth(3).textContent(), '0');
      await press(page, 'Cut 2 s layer-0 to layer-1');
      await until(() => link.locator('td').nth(3).textContent(), text => Number(text?.replaceAll(',', '')) > 0, 'messages are lost');
      await press(page, 'Slow 10× for 5 s layer-0');
      await until(() => page.locator('.told').first().textContent(), text => text?.startsWith('slow: layer-0, at'), 'the slowness has begun');
      await shot(page, 'live-actors-simulated', 390, 'dark');
      await page.getByRole('link', { name: 'Run', exact: true }).click();
      await until(() => page.locator('.notices').textContent().catch(() => ''), text => /10 times slower/.test(text ?? '') && /drops 100/.test(text ?? ''), 'both are told');
      runEnds();
    });
  },

  /** Every page, at both widths, in light and dark. */
  async pages(browser) {
    for (const width of widths) {
      for (const scheme of schemes) {
        await withPage(browser, { address, width, scheme }, async page => {
          for (const [route, marks] of [
            ['', 'table'], ['run/one', '.plot canvas'], ['pipeline/traced', 'canvas.timeline'], ['actors/one', 'code'], ['compare/one/traced', '.plot canvas'],
            ['study/locks', 'canvas.timeline'], ['study/faults', 'table'],
          ]) {
            await page.goto(`${address}#/${route}`);
            await page.locator(marks).first().waitFor();
            await fits(page);
            await shot(page, route.replaceAll('/', '-') || 'home', width, scheme);
          }
        });
      }
    }
  },

  /** The whole way by keyboard: from the list to two runs compared, and to a run. */
  async keyboard(browser) {
    await withPage(browser, { address }, async page => {
      await page.goto(`${address}#/`);
      await page.locator('table').waitFor();
      const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');
      const tabTo = async text => {
        for (let presses = 0; presses < 60; presses++) {
          await page.keyboard.press('Tab');
          if (await focused() === text) {
            return;
          }
        }
        assert.fail(`no way to '${text}' by keyboard`);
      };
      await page.keyboard.press('Tab');
      assert.equal(await focused(), 'Skip to the page');
      await page.keyboard.press('Enter');
      const isTicked = name => page.getByLabel(`compare ${name}`, { exact: true }).isChecked();
      await tabTo('compare one');
      await page.keyboard.press('Space');
      await until(() => isTicked('one'), ticked => ticked, 'one is ticked');
      await page.evaluate(() => document.activeElement.blur());

      // The list changes at every look at it, and somebody presses slowly.
      let looks = 0;
      await page.route('**/api/runs*', async route => {
        const response = await route.fetch();
        const list = await response.json();
        list.runs[0].seconds = ++looks;
        await route.fulfill({ response, json: list });
      });
      await tabTo('compare traced');
      await page.keyboard.down('Space');
      await until(() => looks, count => count > 1, 'the list is looked at');
      await page.keyboard.up('Space');
      await until(() => isTicked('traced'), ticked => ticked, 'traced is ticked', 5_000);
      await page.unroute('**/api/runs*');
      await page.evaluate(() => document.activeElement.blur());
      await tabTo('Compare');
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(outline, 'none', 'the focus is seen');
      await page.keyboard.press('Enter');
      await page.locator('h1', { hasText: /^Compare$/ }).waitFor();
      await page.locator('.plot canvas').first().waitFor();
      assert.equal(await page.locator('tbody tr').count(), 2);
      await page.keyboard.press('Tab');
      await tabTo('one');
      await page.keyboard.press('Enter');
      await page.locator('h1', { hasText: /^one$/ }).waitFor();
    });
  },

  /** Hostile names and contents are text. */
  async hostile(browser) {
    await withPage(browser, { address }, async page => {
      const id = JSON.parse(readFileSync(join(folder, 'hostile.json'), 'utf8'));
      await page.goto(`${address}#/`);
      await page.getByText(id, { exact: true }).first().waitFor();
      for (const route of ['run', 'pipeline', 'actors', 'study']) {
        await page.goto(`${address}#/${route}/${encodeURIComponent(id)}`);
        await page.locator('h1').first().waitFor();
        await page.waitForTimeout(300);
        await fits(page);
      }
      await page.goto(`${address}#/compare/${encodeURIComponent(id)}/one`);
      await page.locator('h1').first().waitFor();
      assert.equal(await page.locator('img, iframe, svg').count(), 0);
      assert.equal(await page.evaluate(() => window.broken), undefined);
    });
  },

  /** Nothing there yet. */
  async empty(browser) {
    for (const width of widths) {
      await withPage(browser, { address, width }, async page => {
        await page.getByRole('heading', { name: 'No runs yet' }).waitFor();
        await page.getByText('disttrain train', { exact: true }).waitFor();
        await fits(page);
        await shot(page, 'empty', width, 'light');
        for (const route of ['run', 'pipeline', 'actors', 'study']) {
          await page.goto(`${address}#/${route}/nowhere`);
          await page.getByText('There is no run or study of the name nowhere here.').waitFor();
        }
      });
    }
  },

  /** A report opens from the disk, by itself. */
  async report(browser) {
    await withPage(browser, { address }, async page => {
      await page.locator('.plot canvas').first().waitFor();
      assert.equal(await page.getByRole('link', { name: 'Runs' }).count(), 0);
      await page.getByRole('link', { name: 'Pipeline' }).click();
      await page.locator('canvas.timeline').waitFor();
      await shot(page, 'report-pipeline', 1280, 'light');
    });
  },

  /** A run of twenty layers, watched for ten thousand steps on one page after the other: what a page holds is gone with it, and does not grow with the run. */
  async long(browser) {
    const steps = 10_000, rounds = 6, growthMaxMegabytes = 8;
    await withPage(browser, { address }, async (page, { runEnds }) => {
      const client = await page.context().newCDPSession(page);
      await client.send('Performance.enable');
      const measure = async () => {
        await client.send('HeapProfiler.collectGarbage');
        await client.send('HeapProfiler.collectGarbage');
        const { metrics } = await client.send('Performance.getMetrics');
        const of = name => metrics.find(metric => metric.name === name).value;
        return { megabytes: of('JSHeapUsedSize') / 1e6, nodes: of('Nodes'), listeners: of('JSEventListeners'), busySeconds: of('TaskDuration'), at: of('Timestamp') };
      };
      const visit = async () => {
        await page.getByRole('link', { name: 'Pipeline' }).click();
        await until(() => page.locator('.bar-row').count(), count => count === 20, 'every layer\u2019s time is divided');
        await page.locator('canvas.timeline').focus();
        await page.keyboard.press('ArrowRight');
        await until(() => page.locator('.told').textContent(), text => /layer|parameter-server/.test(text ?? ''), 'a key is answered');
        await page.getByRole('link', { name: 'Actors' }).click();
        await until(() => page.getByRole('region', { name: 'Actors' }).locator('tbody tr').count().catch(() => 0), count => count === 22, 'every actor has its row');
        await page.getByRole('link', { name: 'Run', exact: true }).click();
        await until(() => page.getByRole('img', { name: /^Gradient norm: layers.0/ }).count(), count => count === 1, 'the health of layers is drawn');
        const step = await until(() => stepOf(page).catch(() => 0), value => value > 0, 'steps are counted');
        await until(() => stepOf(page), value => value > step, 'the run goes on');
      };
      await until(() => stepOf(page).catch(() => 0), step => step >= 500, 'steps are counted');
      await visit();
      await visit();
      const before = await measure();
      for (let round = 0; round < rounds; round++) {
        await visit();
      }
      await until(() => stepOf(page), step => step >= steps, 'the run is long', 150_000);
      await shot(page, 'long-run', 1280, 'light');
      await visit();
      const after = await measure();
      console.log(JSON.stringify({ steps: await stepOf(page), before, after }));
      assert.ok(after.megabytes < before.megabytes + growthMaxMegabytes, `the page grew from ${before.megabytes} to ${after.megabytes} MB`);
      assert.ok(after.nodes < before.nodes * 1.5, `the page grew from ${before.nodes} to ${after.nodes} nodes`);
      assert.ok(after.listeners < before.listeners * 1.5, `the page grew from ${before.listeners} to ${after.listeners} listeners`);
      runEnds();
    });
  },
};

await withBrowser(browser => scenarios[name](browser));
