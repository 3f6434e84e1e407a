import { built } from '../build.mjs';

await import(built('live/main.js'));
