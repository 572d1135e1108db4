// Opens pages in a real browser and holds them to what every page must keep: no error on the console, and no request to anything but the server.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const widths = [1280, 390];
export const schemes = ['light', 'dark'];

export async function withBrowser(use) {
  const browser = await chromium.launch({ executablePath: process.env.DISTTRAIN_CHROMIUM ?? '/usr/bin/chromium', args: flags });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

/** Opens a page, uses it, and then holds it to what every page must keep. */
export async function withPage(browser, { address, width = 1280, scheme = 'light' }, use) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
  const page = await context.newPage();
  const errors = [];
  const strangers = [];
  const home = new URL(address);
  let isOver = false;
  page.on('console', message => {
    if ((message.type() === 'error' || message.type() === 'warning') && !isOver) {
      errors.push(message.text());
    }
  });
  page.on('pageerror', error => errors.push(String(error)));
  page.on('request', request => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && (url.protocol !== home.protocol || url.host !== home.host)) {
      strangers.push(request.url());
    }
  });
  await page.goto(address);
  await use(page, { runEnds: () => { isOver = true; } });
  assert.deepEqual(errors, [], 'the console has no error');
  assert.deepEqual(strangers, [], 'no request leaves the machine');
  await context.close();
}

/** A page must not be wider than the screen; what is, scrolls inside itself. */
export async function fits(page) {
  const [wide, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= inner, `the page is ${wide} wide on a screen of ${inner}`);
}

/** Waits until a figure on the page satisfies something. */
export async function until(read, holds, what, patience = 60_000) {
  const end = Date.now() + patience;
  let value;
  for (;;) {
    value = await read();
    if (holds(value)) {
      return value;
    }
    assert.ok(Date.now() < end, `${what}; the last value was ${JSON.stringify(value)}`);
    await new Promise(next => setTimeout(next, 100));
  }
}

/** The figure beside a name. */
export const tile = (page, name) => page.locator('.tile', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).locator('dd').textContent();
