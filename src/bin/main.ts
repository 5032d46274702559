// Without a handler, SIGHUP ends the process. Loading takes a second: until then, the signal is kept.
let reload: (() => void) | undefined;
let isWanted = false;
let isPaused = false;
// A flood of signals reads files, and logs, once in this time. Lower: the log fills up. Higher: a change
// in the meantime is active later.
const pauseMs = 1_000;

process.on('SIGHUP', () => {
  isWanted = true;
  reloadIfWanted();
});

function reloadIfWanted(): void {
  if (!isWanted || isPaused || !reload) return;
  isWanted = false;
  isPaused = true;
  reload();
  setTimeout(() => {
    isPaused = false;
    reloadIfWanted();
  }, pauseMs).unref();
}

// An import starts nothing: the image is built with the compiled code of this file.
if (import.meta.main) {
  const { serve } = await import('./serve.ts');
  await serve((act) => {
    reload = act;
    reloadIfWanted();
  });
}
