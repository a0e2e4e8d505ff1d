// The quiz page: makes options and fields of what the sheet says, takes keys, sends what is chosen.
// What is right is not known here until the server tells it.
window.unitutor.quiz = (() => {
  const all = (selector, within) => [...(within || document).querySelectorAll(selector)];
  const closest = (node, selector) => (node instanceof Element ? node.closest(selector) : null);
  const number = (node) => Number((/-(\d+)/.exec(node.id || '') || [])[1]);
  const open = (within) => all('#quiz-sheet .qz-item.qz-open', within);
  let send = () => {};
  let moved = false; // the next sheet is one that the reader asked for: it gets the focus
  let stay = -1; // the question that keeps the focus on it

  // The options of a question as a group of radio buttons, its field where the answer is written.
  function dress(item) {
    item.dataset.dressed = '1';
    item.tabIndex = -1;
    const stem = item.querySelector('.qz-stem');
    const group = item.querySelector('.qz-options');
    if (stem) stem.id = `s-${number(item)}`;
    if (stem) item.setAttribute('aria-labelledby', stem.id);
    if (group && item.classList.contains('qz-open')) {
      group.setAttribute('role', 'radiogroup');
      if (stem) group.setAttribute('aria-labelledby', stem.id);
      const options = all('.qz-option', group);
      const on = options.findIndex((option) => option.classList.contains('qz-on'));
      options.forEach((option, at) => {
        option.setAttribute('role', 'radio');
        option.setAttribute('aria-checked', String(at === on));
        option.tabIndex = at === Math.max(0, on) ? 0 : -1;
      });
    }
    const place = item.querySelector('.qz-write');
    if (place && !place.querySelector('input')) {
      const field = document.createElement('input');
      field.value = place.textContent;
      field.maxLength = 300;
      field.autocomplete = 'off';
      field.spellcheck = false;
      field.placeholder = 'Your answer';
      field.setAttribute('aria-labelledby', stem ? stem.id : '');
      field.addEventListener('change', () => keep(item));
      place.replaceChildren(field);
    }
  }

  function chosen(item) {
    const field = item.querySelector('.qz-write input');
    const at = all('.qz-option', item).findIndex((option) => option.getAttribute('aria-checked') === 'true');
    return { place: number(item), chosen: at, text: field ? field.value : '' };
  }
  const answers = () => open().map(chosen).filter((one) => one.chosen >= 0 || one.text.trim());
  const keep = (item) => { send('keep', { answers: [chosen(item)].filter((one) => one.chosen >= 0 || one.text.trim()) }); };

  function choose(option) {
    const item = closest(option, '.qz-item');
    all('.qz-option', item).forEach((other) => {
      const on = other === option;
      other.classList.toggle('qz-on', on);
      other.setAttribute('aria-checked', String(on));
      other.tabIndex = on ? 0 : -1;
    });
    option.focus({ preventScroll: true });
    keep(item); // kept by the server only where all is told at the end
  }

  // The question that keys go to: the one with the focus, else the first that is open and in view.
  function current() {
    const held = closest(document.activeElement, '#quiz-sheet .qz-item');
    if (held) return held;
    const shown = all('#quiz-sheet .qz-item');
    const inView = (item) => item.getBoundingClientRect().bottom > 80;
    return shown.find((item) => item.classList.contains('qz-open') && inView(item)) || shown.find(inView) || null;
  }

  function act(link) {
    const [, name, place] = /^#(\w+)-(\d+)$/.exec(link.getAttribute('href') || '') || [];
    if (!name) return;
    if (name === 'look') { window.unitutor.evidence.look(`i${place}`); return; }
    if (name === 'fresh') { send('fresh', { place: Number(place) }); return; }
    if (name === 'again' && link.dataset.sent) return; // one attempt more, also by a double click
    link.dataset.sent = name;
    moved = true;
    stay = name === 'answer' ? Number(place) : -1;
    send('act', { name, place: Number(place), answers: answers() });
  }

  document.addEventListener('click', (event) => {
    const link = closest(event.target, '#quiz-sheet a.qz-do');
    const option = closest(event.target, '#quiz-sheet .qz-open .qz-option');
    if (link) { event.preventDefault(); event.stopPropagation(); act(link); } else if (option) choose(option);
  }, true);

  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!document.querySelector('#quiz-sheet .qz-item') || closest(event.target, '.ut-view')) return;
    const typing = closest(event.target, 'input, textarea, select, [contenteditable=true]');
    const item = current();
    if (!item || (typing && !closest(typing, '#quiz-sheet'))) return;
    const options = all('.qz-option[role=radio]', item);
    const at = options.indexOf(document.activeElement);
    if (/^[1-9]$/.test(event.key) && !typing && options[event.key - 1]) {
      event.preventDefault();
      choose(options[event.key - 1]);
    } else if (at >= 0 && ['ArrowDown', 'ArrowRight', 'ArrowUp', 'ArrowLeft'].includes(event.key)) {
      event.preventDefault();
      const step = event.key === 'ArrowDown' || event.key === 'ArrowRight' ? 1 : -1;
      choose(options[(at + step + options.length) % options.length]);
    } else if (event.key === ' ' && (at >= 0 || closest(event.target, 'a.qz-do'))) {
      event.preventDefault();
      if (at >= 0) choose(options[at]); else act(closest(event.target, 'a.qz-do'));
    } else if (event.key === 'Enter' && !closest(event.target, 'a, button')) {
      const go = item.querySelector('a.qz-go');
      if (typing && !go) keep(item);
      const next = open().find((other) => number(other) > number(item));
      if (go) { event.preventDefault(); act(go); } else if (next) { event.preventDefault(); next.focus(); next.scrollIntoView({ block: 'nearest' }); }
    }
  });

  new MutationObserver(() => {
    const fresh = all('#quiz-sheet .qz-item:not([data-dressed])');
    const score = document.querySelector('#qz-score:not([data-dressed])');
    if (!fresh.length && !score) return;
    fresh.forEach(dress);
    all('#quiz-sheet a.qz-do').forEach((link) => link.setAttribute('role', 'button'));
    if (score) { score.dataset.dressed = '1'; score.tabIndex = -1; }
    if (!moved) return;
    moved = false;
    const item = document.getElementById(`q-${stay}`) || document.querySelector('#quiz-sheet .qz-item');
    const target = stay < 0 && score ? score : item;
    const field = stay < 0 && target.querySelector('.qz-open .qz-write input');
    (field || target).focus({ preventScroll: true });
    const box = target.getBoundingClientRect();
    if (box.top < 0 || (stay < 0 && box.top > innerHeight * .6)) target.scrollIntoView({ block: 'start' });
    const go = target.querySelector('.qz-told') && target.querySelector('a.qz-go');
    if (go && go.getBoundingClientRect().bottom > innerHeight) go.scrollIntoView({ block: 'end' });
  }).observe(document.documentElement, { childList: true, subtree: true });

  // The address names the open attempt: a reload goes on with it, and says so.
  function address(id) {
    const url = new URL(location.href);
    url.searchParams.delete('c');
    if (id) url.searchParams.set('a', id); else url.searchParams.delete('a');
    history.replaceState(history.state, '', url);
    if (id) moved = true;
  }

  function start(triggers) { send = (event, data) => triggers[event](data); }
  return { start, address };
})();
