// Watches a page, uses it as a person would, and writes what it found into it.
const result = { violations: [], errors: [], faults: [], alerts: 0, images: 0, read: {}, steps: {}, sorted: {}, shown: {}, millis: {} };
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
  for (const [selector, role] of [['table', 'table'], ['tr', 'row'], ['thead th', 'columnheader'], ['tbody th', 'rowheader'], ['td', 'cell']]) {
    for (const e of all(selector)) if (e.computedRole !== role) fault(`read as ${e.computedRole} and not as ${role}`, [e]);
  }
  // Headers stand over their columns, also where the rows are laid out apart.
  const left = (row) => [...row.cells].map((c) => Math.round(c.getBoundingClientRect().left)).join();
  fault('out of line', all('tbody tr').filter((row) => left(row) !== left(document.querySelector('thead tr'))));
  fault('not reachable', all('a').filter((e) => !document.querySelector(e.getAttribute('href'))));
  fault('no name of its own', all('[aria-labelledby]').filter((e) => !document.getElementById(e.getAttribute('aria-labelledby'))));
  if (document.documentElement.scrollWidth > window.innerWidth) result.faults.push('wider than the window');
};

const use = async () => {
  await later(500); // until it is painted
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

// read is what the last row begins with for a screen reader. To ask for each takes minutes.
const read = () => all('tbody tr:not([hidden])').pop().cells[0].computedRole;

// scroll looks whether one still sees who and where in the middle of the table.
const scroll = async () => {
  await later(500);
  window.scrollTo(300, document.body.scrollHeight - 1.5 * window.innerHeight);
  await later(500);
  if (window.scrollX < 100 || window.scrollY < 100) result.faults.push('nothing to scroll');
  const near = (what, is, want) => { if (Math.abs(is - want) > 1) result.faults.push(`${what} is at ${is} and not at ${want}`); };
  const head = headers()[0].getBoundingClientRect();
  near('the top of the headers', head.top, 0);
  near('the header of people', head.left, 0);
  const seen = all('tbody tr').map((row) => row.cells[0]).filter((c) => {
    const at = c.getBoundingClientRect();
    return at.top > head.bottom && at.bottom < window.innerHeight;
  });
  if (seen.length === 0) result.faults.push('nobody is in sight');
  for (const cell of seen) {
    near('a person', cell.getBoundingClientRect().left, 0);
  }
  result.read['at first'] = read();
  await type('person.001');
  result.read.few = read();
  document.getElementById('clear').click();
  await later(500);
  document.getElementById('whole')?.click();
  await later(500);
  result.read.whole = read();
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
  note('sort');
  time('sort by console', () => click(3));
  time('filter', () => tick('orphan'));
  time('filter off', () => tick('orphan'));
  time('filter by console', () => choose('2'));
  note('filter by console');
};

window.addEventListener('load', async () => {
  try {
    if (mode === 'use') await use();
    else if (mode === 'measure') measure();
    else if (mode === 'scroll') await scroll();
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
