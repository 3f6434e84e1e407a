import { createSSRApp } from 'vue';
import App from './App.vue';

// Takes over what a server has drawn, or draws it.
createSSRApp(App).mount('#app');
