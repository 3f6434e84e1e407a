import { createApp, h, ref } from 'vue';

const draws = ref(0);

createApp({
  render: () =>
    h('header', [
      h('session-alerts', {
        api: '/api/data',
        'session-name': 's-1',
        '.getToken': (options) => globalThis.giveToken(options),
      }),
      h('button', { onClick: () => (draws.value += 1) }, `Drawn ${draws.value} times again`),
    ]),
}).mount('#app');
await import('/session-alerts.js');
