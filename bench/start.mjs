import { built } from './build.mjs';

await import(built('main.js'));
