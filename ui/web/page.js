// The chat page's own behaviour: markers that show their card, keys, copying, renaming, saving.
window.unitutor = (() => {
  const one = (selector, within) => (within || document).querySelector(selector);

  // A marker [1] shows its card: the section of its answer, the card in view and lit.
  function showCard(id) {
    const card = document.getElementById(id);
    if (!card) return;
    const section = card.closest('.ut-turn');
    document.querySelectorAll('.ut-turn').forEach((other) => { other.hidden = other !== section; });
    document.querySelectorAll('.ut-card.lit').forEach((other) => other.classList.remove('lit'));
    card.classList.add('lit');
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    card.scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'nearest' });
    card.focus({ preventScroll: true });
  }

  document.addEventListener('click', (event) => {
    const marker = event.target.closest && event.target.closest('a.ut-mark');
    if (!marker) return;
    event.preventDefault();
    event.stopPropagation();
    showCard((marker.getAttribute('href') || '').slice(1));
  }, true);

  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const typing = event.target.closest && event.target.closest('input, textarea, select, [contenteditable=true]');
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const box = one('#ut-box textarea, #lab-question textarea');
      if (box) { event.preventDefault(); box.focus(); }
    }
    if (event.key === 'Escape') {
      const stop = one('#ut-box .stop-button, #lab-stop:not(.hidden), #check-stop:not(.hidden), #quiz-stop:not(.hidden), #desk-stop:not(.hidden)');
      if (stop && !(typing && !typing.closest('#ut-box, #lab, #check, #quiz, #desk'))) { event.preventDefault(); stop.click(); }
    }
  });

  // What is copied is what was written, without the tags and joiners that made it safe to show.
  function plain(text) {
    return text
      .replace(/<span class="ut-(?:foot|stage|note)"[^>]*>(?:<a [^>]*>[^<]*<\/a>|[^<])*<\/span>/g, '')
      .replace(/<a href="#s\d+-\d+" class="ut-flag[^>]*>[^<]*<\/a>/g, '')
      .replace(/<a href="#c\d+-\d+" class="ut-mark"[^>]*>(\d+)<\/a>/g, '[$1]')
      .replace(/<\/?span(?: class="ut-[^>]*)?>/g, '')
      .replace(/\u2060/g, '')
      .trim();
  }
  if (navigator.clipboard && navigator.clipboard.writeText) {
    const write = navigator.clipboard.writeText.bind(navigator.clipboard);
    navigator.clipboard.writeText = (text) => write(plain(String(text)));
  }

  document.addEventListener('copy', (event) => {
    const text = String(getSelection());
    if (!text.includes('\u2060')) return;
    event.clipboardData.setData('text/plain', text.replace(/\u2060/g, ''));
    event.preventDefault();
  });

  // Renaming in place: Enter or leaving the field keeps the name, Esc does not.
  function rename(button, done) {
    const row = button.closest('li');
    const open = one('.ut-open', row);
    const field = document.createElement('input');
    field.className = 'ut-rename';
    field.value = open.textContent;
    field.maxLength = 200;
    field.setAttribute('aria-label', 'New name');
    row.replaceChildren(field);
    field.focus();
    field.select();
    let over = false;
    const end = (keep) => {
      if (over) return;
      over = true;
      const title = keep && field.value.trim() ? field.value.trim() : open.textContent;
      open.textContent = title;
      field.replaceWith(open);
      done(title);
    };
    field.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key === 'Enter') end(true);
      if (event.key === 'Escape') end(false);
    });
    field.addEventListener('blur', () => end(true));
  }

  function save(file) {
    if (!file) return;
    const link = document.createElement('a');
    const content = file.code ? Uint8Array.from(atob(file.code), (one) => one.charCodeAt(0)) : file.text; // code: base64
    link.href = URL.createObjectURL(new Blob([content], { type: file.type || 'text/markdown' }));
    link.download = file.name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // The address names the open conversation, so that a reload comes back to it.
  function address(id) {
    const url = new URL(location.href);
    if (id && id !== 'temporary') url.searchParams.set('c', id); else url.searchParams.delete('c');
    history.replaceState(history.state, '', url);
  }

  // On a phone the list of conversations covers the page, so it starts closed and closes after use.
  const narrow = matchMedia('(max-width: 900px)');
  function fold() {
    const toggle = one('#ut-sidebar.open .toggle-button');
    if (toggle && narrow.matches) toggle.click();
    if (toggle) document.documentElement.classList.add('ut-ready');
    return Boolean(toggle);
  }
  const watch = setInterval(() => { if (fold() || one('#ut-sidebar:not(.open), #lab, #check, #quiz, #desk')) clearInterval(watch); }, 50);
  document.addEventListener('click', (event) => {
    const chosen = event.target.closest && event.target.closest('#ut-new, #ut-temporary, #ut-conversations [data-act=open], #ut-found [data-act=open]');
    if (chosen && narrow.matches) setTimeout(fold, 150);
  });

  // On a phone the page and not the chat scrolls, so a new question is brought to its top.
  let asked = 0;
  new MutationObserver(() => {
    const rows = document.querySelectorAll('#ut-chat .user-row');
    const more = rows.length > asked;
    asked = rows.length;
    // Its own labels read out the markup of every message; what is in the message is enough.
    document.querySelectorAll('#ut-chat .message > [aria-label]').forEach((message) => {
      const label = message.closest('.bot-row') ? 'Answer' : 'Question';
      if (message.getAttribute('aria-label') !== label) message.setAttribute('aria-label', label);
    });
    if (more && narrow.matches) rows[rows.length - 1].scrollIntoView({ block: 'start' });
  }).observe(document.documentElement, { childList: true, subtree: true });

  return { showCard, plain, rename, save, address };
})();
