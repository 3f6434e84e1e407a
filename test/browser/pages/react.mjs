import { createElement, useState } from 'react';
import { createRoot } from 'react-dom/client';
import '/session-alerts.js';

function SessionBar() {
  const [draws, setDraws] = useState(0);
  return createElement(
    'header',
    null,
    createElement('session-alerts', {
      api: '/api/data',
      'session-name': 's-1',
      getToken: (options) => globalThis.giveToken(options),
    }),
    createElement('button', { onClick: () => setDraws(draws + 1) }, `Drawn ${draws} times again`),
  );
}

createRoot(document.querySelector('#app')).render(createElement(SessionBar));
