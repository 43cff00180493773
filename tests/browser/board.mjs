// Drives the pages as staff do, in a real browser: node board.mjs, with what it needs in its environment. Says what it saw, line by line;
// the first thing that is not as it should be ends it. Pictures go to $PICTURES, if that is set.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';

const { TANGGAP_TEST_BROWSER: where, BASE: base, PASSWORD: password, PICTURES: pictures } = process.env;
const require = createRequire(`${where}/package.json`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: quiet });
const say = line => console.log(line);

const faults = [];
const underWay = new Map();
async function open(options = {}) {
  // axe is put in by the test; the pages' own policy stays in force for everything else they do.
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const asked = new Set();
  underWay.set(page, asked);
  page.on('request', request => request.url().endsWith('/live') || asked.add(request));
  page.on('requestfinished', request => asked.delete(request));
  page.on('requestfailed', request => asked.delete(request));
  page.on('pageerror', error => faults.push(`error: ${error.message}`));
  page.on('console', message => {
    if (message.type() === 'error' && !/status of (401|404|422)/.test(message.text())) faults.push(`console: ${message.text()} at ${page.url()}`);
  });
  return page;
}

// Leaving breaks off a refresh under way, which the page rightly calls an error: so none begins any more, and the last one is awaited.
async function quieten(page) {
  await page.evaluate(() => document.querySelectorAll('#live, [hx-get]').forEach(it => it.remove()));
  while (underWay.get(page).size) await page.waitForTimeout(20);
}

async function go(page, path) {
  await quieten(page);
  return page.goto(base + path);
}

async function signIn(page, name = 'budi') {
  await page.fill('#name', name);
  await page.fill('#password', password);
  await page.click('main button');
}

async function barriers(page, what) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  const grave = found.violations.filter(it => ['serious', 'critical'].includes(it.impact));
  assert.deepEqual(grave.map(it => `${it.id}: ${it.nodes.map(node => node.html).join(' | ').slice(0, 400)}`), [], `${what} has barriers`);
  say(`axe: ${what}: ${found.violations.length} small remarks`);
}

async function fits(page, what) {
  const [needs, has] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert(needs <= has, `${what} is wider than its window: ${needs} > ${has}`);
}

const page = await open();
await page.goto(`${base}/?urgent=`);
assert(page.url().includes('/login?next='), 'nobody sees the board without signing in');
await barriers(page, 'login');
await signIn(page);
await page.waitForSelector('.tickets li');
say('signed in');

// keyboard: the first stop jumps to the content
await page.keyboard.press('Tab');
assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');

await page.selectOption('select[name=opd]', { index: 1 });
await quieten(page);
await page.click('.filters button');
await page.waitForURL(/opd=/);
const chosen = await page.textContent('select[name=opd] option:checked');
for (const whose of await page.$$eval('.whose b', all => all.map(it => it.textContent))) assert.equal(whose, chosen);
say(`filtered: ${chosen}`);

// a breach appears by itself: nothing is loaded again
await go(page, `/`);
await page.evaluate(() => { window.sameDocument = true; });
const before = await page.$$eval('#queue li.late', all => all.map(it => it.id));
await page.waitForFunction(known => [...document.querySelectorAll('#queue li.late')].some(it => !known.includes(it.id)), before, { timeout: 60_000 });
assert(await page.evaluate(() => window.sameDocument), 'the page was not loaded again');
say('a breach appeared');

// reply to the newest comment: the citizen's thread is answered, the ticket closes
await go(page, `/?kind=comment&platform=facebook`);
const id = (await page.$$eval('.tickets li', all => all.map(it => it.id))).at(-1).slice(1);
await go(page, `/tickets/${id}`);
await barriers(page, 'an open ticket');
const words = `Terima kasih, laporan nomor ${id} kami teruskan ke bidang terkait.`;
await page.click('#reply-form > summary');
await page.fill('#reply-form textarea', words);
await quieten(page);
await page.click('#reply-form button[type=submit]');
await page.waitForFunction(() => /dijawab/.test(document.querySelector('.head .pace')?.textContent ?? ''), null, { timeout: 30_000 });
await page.waitForFunction(said => [...document.querySelectorAll('.talk .out .text')].some(it => it.textContent.includes(said)), words, { timeout: 10_000 });
say(`replied: ${id}`);
say(`words: ${words}`);

// hand another one over
await go(page, `/`);
const other = (await page.$$eval('.tickets li', all => all.map(it => it.id))).at(-1).slice(1);
await go(page, `/tickets/${other}`);
const whose = await page.textContent('.crumb a:last-child');
await page.click('text=Alihkan ke perangkat daerah lain');
const next = await page.textContent('#handover option:first-child');
await quieten(page);
await page.click('form[action$="/handover"] button');
await page.waitForSelector('.notice.good');
assert.equal(await page.textContent('.crumb a:last-child'), next);
assert.notEqual(next, whose);
say(`handed over: ${other}`);

// attack texts run nothing and break no layout
const paths = [];
let list = `/?state=all&opd=${process.env.HOSTILE}`;
while (list) {
  paths.push(list);
  await go(page, list);
  paths.push(...(await page.$$eval('.tickets a', all => all.map(it => it.getAttribute('href')))).filter((_, nth) => nth % 3 === 0));
  const more = await page.$('a[rel=next]');
  list = more && await more.getAttribute('href');
}
for (const path of paths) {
  await go(page, path);
  assert.equal(await page.evaluate(() => window.pwned), undefined, `${path} ran what a citizen wrote`);
  await fits(page, path);
}
say(`attack texts are inert on ${paths.length} pages`);


// every page on a desk and on a phone, by day and by night
const last = `/tickets/${other}`;
for (const [name, viewport] of [['desk', { width: 1280, height: 900 }], ['phone', { width: 390, height: 844 }]]) {
  for (const colorScheme of ['light', 'dark']) {
    const shot = await open({ viewport, colorScheme });
    await shot.goto(base);
    await signIn(shot, 'ani');
    await shot.waitForSelector('.tickets');
    for (const [what, path] of [['board', '/'], ['ticket', last], ['report', '/report'], ['accounts', '/accounts'], ['trail', '/trail']]) {
      await go(shot, path);
      await fits(shot, `${what} on the ${name}`);
      await barriers(shot, `${what}, ${name}, ${colorScheme}`);
      if (pictures) await shot.screenshot({ path: `${pictures}/${what}-${name}-${colorScheme}.png`, fullPage: true });
    }
    await shot.context().close();
  }
}

// without any script it works as well
const plain = await open({ javaScriptEnabled: false });
await plain.goto(`${base}${last}`);
await signIn(plain);
await plain.click('form[action$="/ack"] button');
await plain.waitForSelector('.notice.good');
await plain.goto(`${base}/language/en?next=/`);
assert.match(await plain.textContent('nav'), /Queue/);
say('works without script, and in English');

assert.deepEqual(faults, []);
await browser.close();
say('done');
