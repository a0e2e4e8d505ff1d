// The page that checks texts: a file is read here and sent whole, tables keep their order while they grow.
window.unitutor.check = (() => {
  const LARGEST = 2 * 1024 * 1024;

  function file(element, send) {
    function take(chosen) {
      if (!chosen) return;
      if (chosen.size > LARGEST) { send({ name: chosen.name, code: '' }); return; }
      const reader = new FileReader();
      reader.onload = () => send({ name: chosen.name, code: String(reader.result).split(',')[1] || '' });
      reader.onerror = () => send({ name: chosen.name, code: '?' });
      reader.readAsDataURL(chosen);
    }
    element.addEventListener('change', (event) => {
      take(event.target.files && event.target.files[0]);
      event.target.value = '';  // the same file may be chosen again, mended
    });
    element.addEventListener('dragover', (event) => event.preventDefault());
    element.addEventListener('drop', (event) => {
      event.preventDefault();
      take(event.dataTransfer.files[0]);
    });
  }

  function results(element, watch) {
    const kept = { sorts: {}, state: '' };
    const key = (button) => button.textContent.replace(/ \(\d+\)$|[▲▼]/g, '');
    let had = '';
    document.addEventListener('focusin', (event) => {
      const button = event.target.closest && event.target.closest('button');
      had = button && element.contains(button) ? key(button) : '';
    });
    const dress = () => {
      unitutorTables(element, kept);
      if (!had || element.contains(document.activeElement)) return;
      const again = [...element.querySelectorAll('button')].find((button) => key(button) === had);
      if (again) again.focus({ preventScroll: true });
    };
    watch('value', dress);
  }

  return { file, results };
})();
