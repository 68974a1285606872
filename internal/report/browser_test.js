// Watches a page, uses it as a person would, and writes what it found into it.
const result = { violations: [], errors: [], faults: [], alerts: 0, images: 0, steps: {}, sorted: {}, shown: {}, millis: {} };
document.addEventListener('securitypolicyviolation', (e) => result.violations.push(e.effectiveDirective));
window.addEventListener('error', (e) => result.errors.push(e.message));
window.alert = () => { result.alerts++; };

const all = (selector) => [...document.querySelectorAll(selector)];
const headers = () => all('thead th');
const later = (ms) => new Promise((done) => setTimeout(done, ms));

const note = (step) => {
  const rows = all('tbody tr').filter((row) => row.checkVisibility());
  result.steps[step] = rows.map((row) => row.querySelector('th bdi').textContent);
  result.sorted[step] = headers().map((h) => h.getAttribute('aria-sort'));
  result.shown[step] = document.getElementById('shown').textContent;
};
const click = (column) => headers()[column].querySelector('button').click();
const tick = (mark) => document.querySelector(`.legend input[value=${mark}]`).click();
const choose = (value) => {
  const select = document.getElementById('console');
  select.value = value;
  select.dispatchEvent(new Event('change'));
};
const type = async (text) => {
  const input = document.getElementById('find');
  input.value = text;
  input.dispatchEvent(new Event('input'));
  await later(500);
};

// accessible looks for what screen readers and keyboards need.
const accessible = () => {
  const fault = (what, elements) => elements.forEach((e) => result.faults.push(`${what}: ${e.outerHTML.slice(0, 120)}`));
  fault('no label', all('input, select').filter((e) => e.labels.length === 0 || e.labels[0].textContent.trim() === ''));
  fault('no name', all('button').filter((e) => e.textContent.trim() === ''));
  fault('not seen', all('.filters input, .filters select, .filters button, thead button').filter((e) => !e.checkVisibility()));
  fault('no scope', all('th').filter((e) => !['col', 'row'].includes(e.scope)));
  fault('no order', headers().filter((e) => !e.hasAttribute('aria-sort') || e.querySelectorAll('button').length !== 1));
  fault('no caption', all('table').filter((e) => !e.caption || e.caption.textContent.trim() === ''));
  fault('no row header', all('tbody tr').filter((e) => e.cells[0].tagName !== 'TH'));
  fault('uneven', all('tbody tr').filter((e) => e.cells.length !== headers().length));
  fault('not reachable', all('a').filter((e) => !document.querySelector(e.getAttribute('href'))));
  fault('no name of its own', all('[aria-labelledby]').filter((e) => !document.getElementById(e.getAttribute('aria-labelledby'))));
  if (document.documentElement.scrollWidth > window.innerWidth) result.faults.push('wider than the window');
};

const use = async () => {
  accessible();
  note('at first');
  click(0); note('person once');
  click(0); note('person twice');
  click(1); note('marks');
  click(1); note('marks again');
  click(4); note('xdr');
  click(4); note('xdr again');
  click(6); note('last sign-in');
  tick('orphan'); note('orphan');
  tick('missing'); note('orphan or missing');
  tick('missing'); choose('-3'); note('orphan, not in cbc');
  document.getElementById('clear').click();
  await type(' investigator  ADA '); note('found');
  await type('SOC TRIAGE'); note('found in capitals');
  await type('<img src=x'); note('markup is text');
  await type('nobody at all'); note('nobody');
  document.getElementById('clear').click(); note('all');
  choose('4'); note('in xdr');
  choose('-4'); note('not in a console');
  choose(''); note('all when in any again');
};

const measure = () => {
  const time = (what, work) => {
    const from = performance.now();
    work();
    void document.body.offsetHeight; // until it is laid out
    result.millis[what] = Math.round(performance.now() - from);
  };
  void document.body.offsetHeight;
  result.millis.load = Math.round(performance.now());
  time('sort', () => click(0));
  time('sort by console', () => click(3));
  time('filter', () => tick('orphan'));
  time('filter off', () => tick('orphan'));
  time('filter by console', () => choose('-2'));
};

window.addEventListener('load', async () => {
  try {
    if (mode === 'use') await use();
    else if (mode === 'measure') measure();
    else all('[onclick]').forEach((e) => e.click());
    if (mode === 'watch') await later(1000);
  } catch (e) {
    result.errors.push(String(e));
  }
  result.images = document.images.length;
  const pre = document.createElement('pre');
  pre.id = 'found';
  pre.textContent = JSON.stringify(result);
  document.body.append(pre);
});
