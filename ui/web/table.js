// Tables of checked sentences: sorted by their heads and filtered by state, with mouse or keyboard.
// The page /check and the report share it. `kept` outlives the tables, which the page replaces.
function unitutorTables(root, kept = { sorts: {}, state: '' }) {
  const words = (row, column) => row.cells[column].textContent.trim();

  function compared(a, b, column) {
    const values = [a, b].map((row) => row.cells[column].dataset.v);
    if (values.every((value) => value !== undefined && value !== '' && !Number.isNaN(Number(value)))) return values[0] - values[1];
    const texts = [words(a, column), words(b, column)];
    if (!texts[0] || !texts[1]) return (texts[0] ? 0 : 1) - (texts[1] ? 0 : 1);
    return texts[0].localeCompare(texts[1], undefined, { numeric: true });
  }

  function sort(table, column, down) {
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => (down ? compared(b, a, column) : compared(a, b, column)));
    body.append(...rows);
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      const on = place === column;
      if (on) head.setAttribute('aria-sort', down ? 'descending' : 'ascending'); else head.removeAttribute('aria-sort');
      const order = head.querySelector('.ck-order');
      if (order) order.textContent = on ? (down ? '▼' : '▲') : '';
    });
  }

  function filter(state) {
    kept.state = state;
    root.querySelectorAll('table[data-filtered] tbody tr').forEach((row) => { row.hidden = Boolean(state) && row.dataset.state !== state; });
    root.querySelectorAll('.ck-filters button').forEach((button) => {
      button.setAttribute('aria-pressed', String(button.dataset.state === state));
    });
  }

  function heads(table, number) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      const order = document.createElement('span');
      order.className = 'ck-order';
      order.setAttribute('aria-hidden', 'true');
      button.append(head.textContent, order);
      button.addEventListener('click', () => {
        const before = kept.sorts[number];
        const down = Boolean(before) && before[0] === column && !before[1];
        kept.sorts[number] = [column, down];
        sort(table, column, down);
      });
      head.replaceChildren(button);
    });
    if (kept.sorts[number]) sort(table, ...kept.sorts[number]);
  }

  // A button a state that occurs, above the first table of sentences; they are for all such tables.
  function filters(tables) {
    const found = new Map();
    tables.forEach((table) => [...table.tBodies[0].rows].forEach((row) => {
      const cell = row.querySelector('[data-name=State]');
      const [, count] = found.get(row.dataset.state) || ['', 0];
      found.set(row.dataset.state, [cell.textContent.trim(), count + 1, Number(cell.dataset.v)]);
    }));
    const all = [...found.values()].reduce((sum, [, count]) => sum + count, 0);
    const bar = document.createElement('div');
    bar.className = 'ck-filters';
    bar.setAttribute('role', 'group');
    bar.setAttribute('aria-label', 'Show sentences by state');
    [['', ['all', all, -1]], ...found].sort((a, b) => a[1][2] - b[1][2]).forEach(([state, [label, count]]) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset.state = state;
      button.textContent = `${label} (${count})`;
      button.addEventListener('click', () => filter(state));
      bar.append(button);
    });
    const first = tables[0].closest('section') || tables[0];
    first.before(bar);
    filter(found.has(kept.state) ? kept.state : '');
  }

  const tables = [...root.querySelectorAll('table[data-sortable]')];
  if (tables.some((table) => table.querySelector('thead button'))) return;
  tables.forEach(heads);
  const filtered = tables.filter((table) => table.hasAttribute('data-filtered'));
  if (filtered.length) filters(filtered);
}
