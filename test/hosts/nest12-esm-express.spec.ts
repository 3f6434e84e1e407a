import { itServes } from './hosts.js';

itServes('nest12-esm-express');
