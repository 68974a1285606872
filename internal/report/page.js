'use strict';
// Sorts and filters the table. The page says all it has to say without this.
(() => {
  const byId = (id) => document.getElementById(id);
  const table = byId('people'), body = table.tBodies[0], shown = byId('shown');
  const find = byId('find'), select = byId('console'), whole = byId('whole');
  const boxes = [...document.querySelectorAll('.legend input')];
  const headers = [...table.tHead.rows[0].cells];
  // Rows that are no longer laid out as those of a table are still read as such.
  if (table.classList.contains('many')) {
    const roles = { THEAD: 'rowgroup', TBODY: 'rowgroup', TR: 'row', TD: 'cell' };
    table.setAttribute('role', 'table');
    for (const e of table.querySelectorAll('thead, tbody, tr, th, td')) {
      e.setAttribute('role', roles[e.tagName] ?? (e.scope === 'col' ? 'columnheader' : 'rowheader'));
    }
  }
  const collator = new Intl.Collator('en', { numeric: true });

  // What is compared is read once: asking the document each time takes seconds
  // with thousands of people.
  const people = [...body.rows].map((row) => ({
    row,
    text: [...row.cells].map((c) => c.textContent).join(' ').toLowerCase(),
    marks: new Set([...row.cells[1].children].map((m) => m.textContent)),
    absent: [...row.cells].map((c) => c.classList.contains('none')),
    keys: [],
  }));

  const apply = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const marks = boxes.filter((b) => b.checked).map((b) => b.value);
    const column = Math.abs(select.value), wanted = select.value > 0; // 0 for any
    let count = 0;
    for (const p of people) {
      const fits = words.every((w) => p.text.includes(w)) &&
        (marks.length === 0 || marks.some((m) => p.marks.has(m))) && (column === 0 || p.absent[column] !== wanted);
      if (p.row.hidden === fits) p.row.hidden = !fits;
      if (fits) count++;
    }
    if (whole) table.classList.toggle('whole', whole.checked || count <= 200);
    shown.textContent = count === people.length ? `${count} of ${count} people` :
      `${count} of ${people.length} people, the others are filtered out`;
  };

  const keyOf = (p, column) => {
    const cell = p.row.cells[column];
    return p.keys[column] ??= cell.dataset.key ?? cell.textContent;
  };

  const sort = (header) => {
    const column = headers.indexOf(header), now = header.getAttribute('aria-sort');
    const order = now === 'none' ? header.dataset.first : now === 'ascending' ? 'descending' : 'ascending';
    const sign = order === 'ascending' ? 1 : -1;
    // Who has nothing in a column comes last in either order.
    people.sort((a, b) => a.absent[column] - b.absent[column] || (a.absent[column] ? 0 :
      sign * collator.compare(keyOf(a, column), keyOf(b, column))));
    body.remove();
    body.append(...people.map((p) => p.row));
    table.append(body);
    for (const h of headers) h.setAttribute('aria-sort', h === header ? order : 'none');
  };

  let waiting = 0;
  find.addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(apply, 150); });
  select.addEventListener('change', apply);
  whole?.addEventListener('change', apply);
  for (const b of boxes) b.addEventListener('change', apply);
  for (const h of headers) h.firstElementChild.addEventListener('click', () => sort(h));
  byId('clear').addEventListener('click', () => {
    find.value = select.value = '';
    for (const b of boxes) b.checked = false;
    apply();
  });
  document.documentElement.classList.add('script');
  apply(); // a browser that reloads keeps what was filled in
})();
