// The decoding lab's own behaviour: a token clicked, or reached with the arrows, shows its chart.
window.unitutor.lab = (() => {
  // What is streamed replaces what it shows, so the focus goes back to the element it was on.
  function keepFocus(element, watch, selector) {
    let had = false;
    document.addEventListener('focusin', (event) => { had = element.contains(event.target); });
    document.addEventListener('pointerdown', (event) => { had = had && element.contains(event.target); });
    watch('value', () => {
      const target = had && !element.contains(document.activeElement) && element.querySelector(selector());
      if (target) target.focus({ preventScroll: true });
    });
  }

  function columns(element, trigger, watch) {
    const token = (run, number) =>
      element.querySelector(`.lab-column[data-run="${run}"] .lab-token[data-token="${number}"]`);
    function pick(chosen) {
      if (!chosen) return;
      for (const other of element.querySelectorAll('.lab-token.on')) {
        other.classList.remove('on');
        other.setAttribute('aria-pressed', 'false');
      }
      for (const other of chosen.parentNode.querySelectorAll('.lab-token')) other.tabIndex = -1;
      chosen.tabIndex = 0;
      chosen.classList.add('on');
      chosen.setAttribute('aria-pressed', 'true');
      chosen.focus({ preventScroll: true });
      const run = Number(chosen.closest('.lab-column').dataset.run);
      trigger({ run, token: Number(chosen.dataset.token) });
    }
    element.addEventListener('click', (event) => pick(event.target.closest('.lab-token')));
    element.addEventListener('keydown', (event) => {
      const from = event.target.closest('.lab-token');
      if (!from || event.ctrlKey || event.metaKey || event.altKey) return;
      const run = Number(from.closest('.lab-column').dataset.run);
      const number = Number(from.dataset.token);
      const all = from.parentNode.querySelectorAll('.lab-token');
      const to = {
        ArrowRight: () => token(run, number + 1),
        ArrowLeft: () => token(run, number - 1),
        ArrowDown: () => token(run + 1, number),
        ArrowUp: () => token(run - 1, number),
        Home: () => all[0],
        End: () => all[all.length - 1],
        Enter: () => from,
        ' ': () => from,
      }[event.key];
      if (!to) return;
      event.preventDefault();
      pick(to());
    });
    keepFocus(element, watch, () => '.lab-token.on');
  }

  function chart(element, trigger, watch) {
    let last = 'next';
    element.addEventListener('click', (event) => {
      const button = event.target.closest('button[data-step]');
      if (!button) return;
      last = button.dataset.step;
      trigger({ by: last === 'next' ? 1 : -1 });
    });
    keepFocus(element, watch, () => `button[data-step="${last}"]:not(:disabled), button[data-step]:not(:disabled)`);
  }

  return { columns, chart };
})();
