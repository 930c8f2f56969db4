// Tells this page within milliseconds that its session has ended, wherever that happened. The SDK does the rest: a request
// through the page's own fetch meets 401, the SDK's refresh fails, and the application hears of it as of any expired session.
(() => {
  'use strict';
  const base = document.currentScript.src.replace(/\/session\/events\.js.*$/, '');
  const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('grid-session-events') : null;
  const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));

  // Kept by the SDK in every mode of transport.
  const hasSession = () => /(^|;\s*)sFrontToken=/.test(document.cookie);

  // When a sign-out of this page was last answered: the SDK's, or one of the application's own that is named so.
  let signedOutAt = -Infinity;
  new PerformanceObserver(list => {
    if (list.getEntries().some(entry => /\/(sign|log)-?out$/i.test(new URL(entry.name).pathname))) {
      signedOutAt = performance.now();
    }
  }).observe({ type: 'resource' });

  // Asks through the SDK, which refreshes, fails and tells the application, once. Who signs out here is told by that; the end comes
  // before the answer to it.
  const check = async () => {
    const since = performance.now();
    for (let tries = 0; tries < 5 && hasSession(); tries++) {
      await pause(50);
    }

    await pause(100);
    if (signedOutAt < since - 1_000) {
      await fetch(`${base}/session/events?ended`, { credentials: 'include' }).catch(() => {});
    }
  };

  // True if the session ended; false if the connection did.
  const listen = async () => {
    const response = await fetch(`${base}/session/events`, { credentials: 'include' });
    if (!response.ok) {
      return false;
    }

    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ;) {
      const { value, done } = await reader.read();
      if (done) {
        return false;
      }

      text = (text + value).slice(-64);
      if (text.includes('event: ended')) {
        return true;
      }
    }
  };

  const run = async () => {
    for (let wait = 500; ;) {
      if (hasSession()) {
        const started = Date.now();
        if (await listen().catch(() => false)) {
          tabs?.postMessage('ended');
          await check();
        }

        wait = Date.now() - started > 10_000 ? 500 : Math.min(wait * 2, 15_000);
      } else {
        wait = 500;
      }

      await pause(wait * (0.8 + 0.4 * Math.random()));
    }
  };

  // One tab listens for all; when it closes, the next takes over.
  tabs?.addEventListener('message', check);
  if (navigator.locks) {
    navigator.locks.request('grid-session-events', run);
  } else {
    run();
  }
})();
