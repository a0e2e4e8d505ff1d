// The list at the side: its keys, its length, links to a turn; and what stands over the box.
Object.assign(window.unitutor, (() => {
  const one = (selector, within) => (within || document).querySelector(selector);

  // A link to a turn of a conversation: #turn-3 is its third question.
  function bring(id, number) {
    const until = Date.now() + 10000;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    let since = 0;
    const watch = setInterval(() => {
      const now = Date.now();
      const row = document.querySelectorAll('#ut-chat .user-row')[number - 1];
      const here = new URL(location.href).searchParams.get('c') === id;
      if (now > until || (since && now > since + 2500)) { clearInterval(watch); return; }
      if (!row || !here || row.classList.contains('ut-here')) return;
      document.querySelectorAll('.ut-here').forEach((other) => other.classList.remove('ut-here'));
      row.classList.add('ut-here');  // again where the chat is drawn anew
      if (since) return;
      since = now;
      // The chat scrolls to its end once it has been filled, so this is done after that.
      setTimeout(() => row.scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'start' }), 350);
    }, 150);
  }
  function turn(id, number, open) {
    const there = new URL(location.href).searchParams.get('c') === id;
    if (!number || !there) open();
    if (number) bring(id, Number(number));
  }
  const named = /^#turn-(\d{1,5})$/.exec(location.hash);
  if (named) bring(new URL(location.href).searchParams.get('c'), Number(named[1]));

  function ask() { const box = one('#ut-box textarea'); if (box) box.focus(); }

  // The list: as long as it was last asked to be, whatever else has it drawn anew.
  const list = (() => {
    let count = 0;
    let send = null;
    function more(go) {
      send = go;
      count = Number(one('#ut-conversations .ut-list').dataset.count) + 100;
      go(count);
    }
    new MutationObserver(() => {
      const now = one('#ut-conversations .ut-list');
      if (send && now && Number(now.dataset.count) < count && one('.ut-more', now)) send(count);
    }).observe(document.documentElement, { childList: true, subtree: true });

    // Up and down go through it; F2 renames, Del deletes, p pins the one the focus is on.
    function keys(element) {
      element.addEventListener('keydown', (event) => {
        const open = event.target.closest('.ut-open');
        if (!open || event.ctrlKey || event.metaKey || event.altKey) return;
        const all = [...element.querySelectorAll('.ut-open, .ut-more')];
        const at = all.indexOf(open);
        const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
        const act = { F2: 'rename', Delete: 'delete', p: 'pin' }[event.key];
        const tool = act && one(`[data-act=${act}]`, open.closest('li'));
        if (to === -1 && element.closest('#ut-found')) { event.preventDefault(); one('#ut-search input, #ut-search textarea').focus(); }
        else if (to !== undefined && all[to]) { event.preventDefault(); all[to].focus(); }
        else if (tool) { event.preventDefault(); tool.click(); }
      });
    }
    return { more, keys };
  })();

  document.addEventListener('keydown', (event) => {
    const search = one('#ut-search input, #ut-search textarea');
    if (!search || event.isComposing) return;
    if (event.key === 'k' && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      const closed = one('#ut-sidebar:not(.open) .toggle-button');
      if (closed) closed.click();
      search.focus();
      search.select();
    }
    if (event.target === search && event.key === 'ArrowDown') {
      const first = one('#ut-found .ut-open') || one('#ut-conversations .ut-open');
      if (first) { event.preventDefault(); first.focus(); }
    }
    const inside = event.target === search || event.target.closest('#ut-found');
    if (inside && event.key === 'Escape') {
      event.stopPropagation();
      event.preventDefault();
      search.value = '';
      search.dispatchEvent(new Event('input', { bubbles: true }));
      search.focus();
    }
  }, true);

  return { turn, ask, list };
})());
