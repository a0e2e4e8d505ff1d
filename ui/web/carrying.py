"""What the page has to carry conversations out and in: a choice of formats, and a file to read.

A file is read in the browser and sent as text, so nothing is stored here before it was looked at
(rag/archive.py). What is not here: the handlers (ui/web/side.py).
"""

from __future__ import annotations

EXPORT_AS = """<details class="ut-as"><summary title="Export as…" aria-label="Export as…">▾</summary>
<div><button type="button" data-kind="md">Markdown</button>
<button type="button" data-kind="html">Web page (HTML)</button>
<button type="button" data-kind="json">JSON, to import elsewhere</button></div></details>"""
EXPORT_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-kind]');
  if (!button) return;
  button.closest('details').open = false;
  trigger('save', {kind: button.dataset.kind});
});
element.addEventListener('keydown', (event) => {
  const menu = event.target.closest('details[open]');
  if (menu && event.key === 'Escape') {
    event.stopPropagation(); menu.open = false; menu.querySelector('summary').focus();
  }
});
document.addEventListener('click', (event) => {
  const menu = element.querySelector('details[open]');
  if (menu && !menu.contains(event.target)) menu.open = false;
});
"""
IMPORT = """<button type="button" class="ut-bring" title="Conversations exported as JSON">Import…</button>
<input type="file" accept=".json,application/json" hidden aria-label="A file of conversations">"""
IMPORT_JS = """
const field = element.querySelector('input');
element.querySelector('button').addEventListener('click', () => field.click());
field.addEventListener('change', async () => {
  const [file] = field.files;
  if (!file) return;
  const text = file.size > (64 << 20) ? '' : await file.text();
  field.value = '';
  trigger('bring', {text, large: !text && file.size > 0});
});
"""
