// What shows the evidence: the card of a sentence, the page beside the answer, thumbs and their reasons.
window.unitutor.evidence = (() => {
  const one = (selector, within) => (within || document).querySelector(selector);
  const all = (selector, within) => [...(within || document).querySelectorAll(selector)];
  const closest = (node, selector) => (node instanceof Element ? node.closest(selector) : null);
  const home = () => one('.gradio-container') || document.body;
  let send = () => {}; // set once the page is there: (event, data) to the server

  function make(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === 'onclick') made.addEventListener('click', value); else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  // The card of a sentence: a copy of the hidden one with the same number.
  let tip = null;
  let from = null; // what the card is shown for
  let later = 0;
  const number = (node) => [...node.classList].find((name) => /^ut-s\d+-\d+$/.test(name));
  const flagOf = (node) => one(`a.ut-flag.${number(node)}`, closest(node, '.message') || document);

  function hideTip() {
    clearTimeout(later);
    if (!tip) return;
    tip.remove();
    all('[aria-describedby="ut-tip"]').forEach((node) => node.removeAttribute('aria-describedby'));
    all('.ut-said.on').forEach((node) => node.classList.remove('on'));
    tip = from = null;
  }

  function showTip(node, y) {
    const key = number(node);
    const kept = document.getElementById(key.slice(3));
    if (!kept || (tip && from === key)) return;
    hideTip();
    from = key;
    tip = make('div', { id: 'ut-tip', role: 'tooltip' });
    tip.innerHTML = kept.innerHTML; // sanitised where it comes from
    all('.ut-where', tip).forEach((where, place) => {
      const name = `${key.slice(3)}.${place}`;
      const button = make('button', { type: 'button', tabindex: -1, onclick: () => look(name) }, where.textContent);
      where.replaceChildren(button);
    });
    home().append(tip);
    const flag = flagOf(node);
    if (flag) flag.setAttribute('aria-describedby', 'ut-tip');
    all(`.ut-said.${key}`).forEach((part) => part.classList.add('on'));
    const boxes = [...node.getClientRects()];
    const box = boxes.find((b) => y !== undefined && b.top - 4 <= y && y <= b.bottom + 4) || boxes[boxes.length - 1];
    if (!box) return;
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.max(8, Math.min(box.left, document.documentElement.clientWidth - width - 8));
    const below = box.bottom + 6 + height < innerHeight;
    tip.style.left = `${left}px`;
    tip.style.top = `${Math.max(8, below ? box.bottom + 6 : box.top - height - 6)}px`;
  }

  document.addEventListener('mouseover', (event) => {
    const node = closest(event.target, '#ut-chat .ut-said, #ut-chat a.ut-flag');
    if (node) {
      clearTimeout(later);
      const y = event.clientY;
      later = setTimeout(() => { if (node.isConnected) showTip(node, y); }, tip ? 60 : 250);
    } else if (closest(event.target, '#ut-tip')) {
      clearTimeout(later);
    } else if (tip && !closest(document.activeElement, 'a.ut-flag')) {
      clearTimeout(later);
      later = setTimeout(hideTip, 200);
    } else if (!tip) {
      clearTimeout(later);
    }
  });
  let focused = '';
  document.addEventListener('focusin', (event) => {
    const flag = closest(event.target, '#ut-chat a.ut-flag');
    focused = flag ? number(flag) : '';
    if (flag && flag.matches(':focus-visible')) showTip(flag); else if (tip && !tip.contains(event.target)) hideTip();
  });
  document.addEventListener('focusout', (event) => {
    if (!event.relatedTarget && event.target.isConnected) focused = '';
  });
  addEventListener('resize', hideTip);
  document.addEventListener('scroll', (event) => { if (!closest(event.target, '#ut-tip')) hideTip(); }, true);

  // The page beside the answer.
  let opener = null;
  let givenUp = false; // Esc came before the page did
  const view = () => one('#ut-view .ut-view:not([hidden])');
  function look(name, page) {
    hideTip();
    const shown = view();
    if (!shown) opener = document.activeElement;
    if (shown && shown.dataset.name === name && page === undefined) { shown.focus(); return; }
    document.body.classList.add('ut-opening');
    givenUp = false;
    send('look', { name, page: page || 0 });
  }
  function shut() {
    const shown = view();
    if (!shown) return;
    shown.hidden = true;
    send('shut', {});
    const back = opener && opener.isConnected ? opener : one('#ut-box textarea');
    if (back) back.focus({ preventScroll: true });
  }
  function arrived() {
    document.body.classList.remove('ut-opening');
    const shown = view();
    if (!shown) return;
    if (givenUp) { givenUp = false; shut(); return; }
    shown.focus({ preventScroll: true });
    const picture = one('img', shown);
    const mark = one('.ut-box', shown);
    const bring = () => {
      shown.scrollIntoView({ block: 'start' });
      if (mark && mark.getBoundingClientRect().bottom > innerHeight) mark.scrollIntoView({ block: 'center' });
    };
    if (picture && !picture.complete) picture.addEventListener('load', bring, { once: true }); else bring();
  }
  function clicked(event) {
    const button = closest(event.target, 'button');
    const shown = view();
    if (!button || !shown) return;
    if ('shut' in button.dataset) shut();
    if (button.dataset.to) look(shown.dataset.name, Number(button.dataset.to));
    if (button.dataset.show) look(button.dataset.show);
    if ('larger' in button.dataset) {
      const on = one('.ut-sheet', shown).classList.toggle('large');
      button.setAttribute('aria-pressed', String(on));
      button.textContent = on ? '−' : '+';
      button.title = on ? 'Smaller' : 'Larger';
    }
  }

  // What is asked for under an answer.
  let popup = null;
  function closePopup() {
    if (!popup) return false;
    const back = popup.back;
    popup.remove();
    popup = null;
    if (back && back.isConnected) back.focus({ preventScroll: true });
    return true;
  }
  function open(node, made, label) {
    closePopup();
    popup = made;
    popup.back = node;
    popup.classList.add('ut-popup');
    popup.setAttribute('role', 'dialog');
    popup.setAttribute('aria-label', label);
    home().append(popup);
    const box = node.getBoundingClientRect();
    const { width, height } = popup.getBoundingClientRect();
    popup.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
    const above = box.top - height - 6;
    popup.style.top = `${above > 8 ? above : Math.min(box.bottom + 6, Math.max(8, innerHeight - height - 8))}px`;
    one('input, button', popup).focus({ preventScroll: true });
  }
  function askReason(node, turn) {
    const reasons = JSON.parse(one('#ut-view [data-reasons]').dataset.reasons);
    const choices = reasons.map((reason, at) => {
      const radio = make('input', { type: 'radio', name: 'ut-reason', value: reason });
      radio.checked = at === 0;
      return make('label', {}, radio, reason[0].toUpperCase() + reason.slice(1));
    });
    const words = make('textarea', { rows: 2, maxlength: 1000, placeholder: 'Anything to add? (optional)', 'aria-label': 'Comment' });
    const form = make('form', {},
      make('b', {}, 'What is wrong with this answer?'),
      make('div', { role: 'radiogroup', 'aria-label': 'Reason' }, ...choices), words,
      make('div', { class: 'ut-ways' },
        make('button', { type: 'button', onclick: closePopup }, 'Cancel'), make('button', { type: 'submit' }, 'Send')));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      send('thumb', { turn, verdict: 'down', reason: new FormData(form).get('ut-reason'), comment: words.value });
      closePopup();
    });
    open(node, form, 'What is wrong with this answer?');
  }
  function more(node, turn) {
    const judge = (verdict) => () => { send('judge', { turn, verdict }); closePopup(); };
    const menu = make('div', {},
      make('b', {}, 'Add to the regression set'),
      make('button', { type: 'button', onclick: judge('approved') }, 'Approve: later answers should be like this'),
      make('button', { type: 'button', onclick: judge('rejected') }, 'Reject: later answers should not'));
    open(node, menu, 'Add to the regression set');
  }
  const acts = {
    only: (node, turn) => send('narrow', { turn, on: true }),
    all: (node, turn) => send('narrow', { turn, on: false }),
    up: (node, turn) => send('thumb', { turn, verdict: node.classList.contains('on') ? '' : 'up', reason: '', comment: '' }),
    down: (node, turn) => {
      if (node.classList.contains('on')) send('thumb', { turn, verdict: '', reason: '', comment: '' }); else askReason(node, turn);
    },
    more,
  };

  document.addEventListener('click', (event) => {
    if (popup && !popup.contains(event.target)) closePopup();
    const flag = closest(event.target, '#ut-chat a.ut-flag');
    const act = closest(event.target, '#ut-chat a.ut-do');
    const page = closest(event.target, '.ut-card a.ut-page');
    const mark = closest(event.target, '.ut-card mark');
    if (flag || act || page) { event.preventDefault(); event.stopPropagation(); }
    if (flag) {
      const kept = document.getElementById(number(flag).slice(3));
      const touched = event.pointerType === 'touch';
      if (kept && one('.ut-where', kept) && !touched) look(`${number(flag).slice(3)}.0`); else showTip(flag);
    } else if (act) {
      const [, name, turn] = /^#(\w+)-(\d+)$/.exec(act.getAttribute('href')) || [];
      if (acts[name]) acts[name](act, Number(turn));
    } else if (page || mark) {
      look(closest(page || mark, '.ut-card').id);
    } else if (closest(event.target, '#ut-chat .ut-said') && event.pointerType === 'touch') {
      showTip(closest(event.target, '.ut-said'), event.clientY);
    } else if (tip && !tip.contains(event.target)) {
      hideTip();
    }
  }, true);

  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const inside = closest(event.target, '.ut-view');
    if (event.key === 'Escape') {
      const writing = one('#ut-box .stop-button');
      const told = tip && closest(document.activeElement, 'a.ut-flag');
      hideTip();
      const opening = document.body.classList.contains('ut-opening');
      givenUp = opening;
      document.body.classList.remove('ut-opening');
      if (closePopup() || told || opening) event.preventDefault();
      else if (view() && (inside || !writing)) { event.preventDefault(); shut(); }
    } else if (event.key === 'Enter' && event.target.classList.contains('ut-card')) {
      event.preventDefault();
      look(event.target.id);
    } else if (event.key === ' ' && closest(event.target, 'a.ut-do')) {
      event.preventDefault();
      event.target.click();
    } else if (inside && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
      const steps = all('button[data-to]', inside);
      const step = steps[event.key === 'ArrowLeft' ? 0 : 1];
      if (step && !step.disabled) { event.preventDefault(); step.click(); }
    }
  }, true);

  // The chat lets no aria attribute through, so what a sign means is put back once it is there.
  new MutationObserver(() => {
    for (const flag of all('#ut-chat a.ut-flag[title]')) {
      flag.setAttribute('aria-label', flag.title);
      flag.removeAttribute('title'); // the card takes its place
    }
    for (const act of all('#ut-chat a.ut-do:not([role])')) {
      act.setAttribute('role', 'button');
      if (act.title) act.setAttribute('aria-label', act.title);
      if (act.matches('.ut-do-up, .ut-do-down')) act.setAttribute('aria-pressed', String(act.classList.contains('on')));
    }
    if (tip && from && !one(`#ut-chat .${from}`)) hideTip();
    if (focused && document.activeElement === document.body) { // what is streamed replaces what it shows
      const flag = one(`#ut-chat a.ut-flag.${focused}`);
      if (flag) flag.focus({ preventScroll: true });
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  function start(element, triggers, watch) {
    send = (event, data) => triggers[event](data);
    element.addEventListener('click', clicked);
    watch('value', arrived);
  }
  return { start, look };
})();
