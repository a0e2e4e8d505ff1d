// The instructor's desk: keys, the list, and the links of the open question.
window.unitutor.desk = (() => {
  const one = (selector) => document.querySelector(selector);
  const closest = (node, selector) => (node instanceof Element ? node.closest(selector) : null);
  let another = () => {};

  function list(element, pick, watch) {
    element.addEventListener('click', (event) => {
      const button = closest(event.target, 'button[data-id]');
      if (button) pick(button.dataset.id);
    });
    watch('value', () => { const on = element.querySelector('li.on'); if (on) on.scrollIntoView({ block: 'nearest' }); });
  }
  function item(send) { another = send; }

  document.addEventListener('click', (event) => {
    const link = closest(event.target, '#desk-item a.qz-do');
    if (!link) return;
    event.preventDefault();
    event.stopPropagation();
    const [, place] = /^#another-(\d+)$/.exec(link.getAttribute('href') || '') || [];
    if (place !== undefined) another(Number(place));
  }, true);

  const BUTTONS = { a: '#desk-approve', r: '#desk-reject', e: '#desk-edit', u: '#desk-undo' };
  document.addEventListener('keydown', (event) => {
    if (!one('#desk-queue') || event.defaultPrevented || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (closest(event.target, 'textarea, select, [contenteditable=true], input:not([type=radio])')) return;
    const row = one('#desk-queue li.on');
    const step = { j: row && row.nextElementSibling, k: row && row.previousElementSibling }[event.key];
    const button = step ? step.querySelector('button') : one(BUTTONS[event.key] || 'none');
    if (!button || button.disabled || !button.offsetParent) return;
    event.preventDefault();
    button.click();
    if (event.key !== 'r' && event.key !== 'e') return;
    // What comes next is typed or chosen: the panel takes the focus once it is there.
    const field = event.key === 'r' ? '#desk-why input' : '#desk-editor textarea';
    let tries = 0;
    const wait = setInterval(() => {
      const found = one(field);
      if (found && found.offsetParent) found.focus();
      if (found && found.offsetParent || ++tries > 40) clearInterval(wait);
    }, 50);
  });

  return { list, item };
})();
